import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** A real sshd on a port of its own, with its own host key and one authorised client key. */
export interface TestSshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** Process id of the listener. */
  readonly pid: number;
  readonly directory: string;
  /** What sshd has logged so far. */
  log(): string;
  /** Ends the listener and every session it still serves. */
  stop(): Promise<void>;
}

export interface TestSshdOptions {
  /** Further lines of sshd_config; they come first, and sshd takes the first value it reads. */
  config?: readonly string[];
  /** Use the keys of an earlier sshd (a host that was restarted). */
  directory?: string;
  port?: number;
  /** Without the sftp subsystem. */
  withoutSftp?: boolean;
  /** Where it listens, loopback unless given. */
  address?: string;
  /** A command that runs another one elsewhere, such as `ip netns exec NAME`. */
  inside?: readonly string[];
}

export async function startSshd(options: TestSshdOptions = {}): Promise<TestSshd> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "rsyncdirector-sshd-")));
  if (options.directory === undefined) await makeKeys(directory);
  const port = options.port ?? (await freePort());
  const { address = "127.0.0.1", inside = [] } = options;
  const identityFile = join(directory, "client_key");
  const knownHostsFile = join(directory, "known_hosts");
  const hostKey = (await readFile(join(directory, "host_key.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  // Put in place whole: a client may be reading it, and half a file would be an unknown host.
  await writeFile(`${knownHostsFile}.new`, `[${address}]:${port} ${hostKey}\n`);
  await rename(`${knownHostsFile}.new`, knownHostsFile);
  // Only an sshd that root starts insists on its directory.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  const configFile = join(directory, "sshd_config");
  await writeFile(configFile, [...(options.config ?? []), ...baseConfig(directory, port, options)].join("\n") + "\n");

  // Whatever becomes of the process that started it, it must not live on (PR_SET_PDEATHSIG).
  const sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", configFile];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...inside, ...sshd], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let log = "";
  const listening = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes("Server listening on")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`sshd ended with ${code}:\n${log}`)));
  });
  await listening;
  const pid = child.pid as number;
  return {
    host: address,
    port,
    user: userInfo().username,
    identityFile,
    knownHostsFile,
    pid,
    directory,
    log: () => log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        await killSessions(pid);
        child.kill("SIGKILL");
        await exited;
      }
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

function baseConfig(directory: string, port: number, options: TestSshdOptions): string[] {
  return [
    `Port ${port}`,
    `ListenAddress ${options.address ?? "127.0.0.1"}`,
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/client_key.pub`,
    `PidFile ${directory}/sshd.pid`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "MaxStartups 200:30:400",
    "PrintMotd no",
    ...(options.withoutSftp === true ? [] : ["Subsystem sftp internal-sftp"]),
    // Debian's bash reads ~/.bashrc for every ssh command, and whatever the developer has there takes time.
    `SetEnv HOME=${directory}`,
  ];
}

async function makeKeys(directory: string): Promise<void> {
  for (const name of ["host_key", "client_key"]) {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `test ${name}`, "-f", join(directory, name)]);
  }
}

/** sshd forks a process per connection; they outlive the listener unless they are ended too. */
async function killSessions(listenerPid: number): Promise<void> {
  const { stdout } = await execa("ps", ["-o", "pid=", "--ppid", String(listenerPid)], { reject: false });
  for (const pid of stdout.split(/\s+/).filter(Boolean)) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself in the meantime.
    }
  }
}

/** Below those that the kernel gives to whoever does not mind, be it to listen or for a connection. */
const ports = { lowest: 20_000, count: 12_000 };

/** A TCP port on loopback on which nobody listens, and which no other test is given as long as this process lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ports.lowest + Math.floor(Math.random() * ports.count);
    const name = createServer().unref();
    // Of a name without a file the kernel lets nobody else have it, and frees it when this process ends.
    if (!(await listens(name, { path: `\0rsyncdirector-test-port-${port}` }))) continue;
    const server = createServer();
    if (!(await listens(server, { port, host: "127.0.0.1" }))) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

function listens(server: Server, where: ListenOptions): Promise<boolean> {
  return new Promise((resolve) => {
    server.once("error", () => resolve(false)).listen(where, () => resolve(true));
  });
}
