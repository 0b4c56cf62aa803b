import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { findProgram } from "../../src/process/find-program.ts";
import { unpackDebian, whyNoDebian } from "./debian-tree.ts";

/** A Debian with systemd as its process 1, in a network of its own. */
export interface BootedDebian {
  /** Its root directory, as seen from here. */
  readonly root: string;
  /** Its process 1: `nsenter -t LEADER -n` is in its network. */
  readonly leader: number;
  /** Runs a shell script in there as root. Rejects when it fails. */
  run(script: string): Promise<string>;
  /** The same; resolves to whatever became of it. */
  attempt(script: string): Promise<{ exitCode: number | undefined; output: string }>;
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Resolves when the script succeeds; rejects with what it said last after a minute. */
  until(script: string): Promise<void>;
  /** Ends it and removes all of it. */
  stop(): Promise<void>;
}

const packages = "systemd systemd-sysv dbus polkitd procps logrotate rsync openssh-client openssh-server sudo".split(
  " ",
);

/** Why no Debian can be booted here, or undefined. */
export function whyNoBoot(): string | undefined {
  const why = whyNoDebian();
  if (why !== undefined) return why;
  const wanted = ["systemd-nspawn", "nsenter", "dpkg-deb"];
  const missing = wanted.filter((name) => findProgram(name, `${process.env["PATH"]}:/usr/sbin:/sbin`) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

export async function bootDebian(): Promise<BootedDebian> {
  const scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-debian-"));
  const root = join(scratch, "root");
  try {
    await unpackDebian(root, packages);
    const nspawn = startMachine(root);
    const leader = await leaderOf(nspawn.child, nspawn.output);
    return machine({ scratch, root, leader, child: nspawn.child });
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
}

let machines = 0;

function startMachine(root: string): { child: ChildProcess; output: () => string } {
  machines += 1;
  const name = `rsyncdirector-test-${process.pid}-${machines}`;
  const how = ["--register=no", "--keep-unit", "--private-network", "--console=pipe", `--machine=${name}`];
  const child = spawn("systemd-nspawn", ["--quiet", `--directory=${root}`, ...how, "--boot"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
  return { child, output: () => output };
}

/** The process 1 of the container: the one child of systemd-nspawn. */
async function leaderOf(child: ChildProcess, output: () => string): Promise<number> {
  for (let look = 0; look < 300 && child.exitCode === null; look += 1) {
    const { stdout } = await execa("ps", ["-o", "pid=,comm=", "--ppid", String(child.pid)], { reject: false });
    const leader = Number(/^\s*(\d+) systemd$/m.exec(stdout)?.[1]);
    if (leader > 0) return leader;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`systemd-nspawn did not boot: ${output().slice(-2000)}`);
}

async function machine(of: {
  scratch: string;
  root: string;
  leader: number;
  child: ChildProcess;
}): Promise<BootedDebian> {
  const { scratch, root, leader, child } = of;
  const attempt: BootedDebian["attempt"] = async (script) => {
    const inside = ["-t", String(leader), "-a", "--", "/bin/sh", "-euc", script];
    const { exitCode, all } = await execa("nsenter", inside, {
      ...{ reject: false, all: true, stdin: "ignore", extendEnv: false },
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LC_ALL: "C.UTF-8" },
    });
    return { exitCode, output: all };
  };
  const booted: BootedDebian = {
    root,
    leader,
    attempt,
    run: async (script) => {
      const { exitCode, output } = await attempt(script);
      if (exitCode !== 0) throw new Error(`in the container: ${script}\nended with ${exitCode}: ${output}`);
      return output;
    },
    write: async (path, text, mode = 0o644) => {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text, { mode });
    },
    until: async (script) => {
      const loop = `for i in $(seq 600); do if (${script}) >/dev/null 2>&1; then exit 0; fi; sleep 0.1; done; set -x; ${script}`;
      const { exitCode, output } = await attempt(loop);
      if (exitCode !== 0) throw new Error(`never happened in the container: ${script}\n${output}`);
    },
    stop: async () => {
      const ended = child.exitCode === null ? once(child, "exit") : Promise.resolve();
      // Its process 1 takes this for "power off"; whatever is left goes with it.
      child.kill("SIGTERM");
      const killed = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await ended;
      clearTimeout(killed);
      await rm(scratch, { recursive: true, force: true });
    },
  };
  try {
    // Before that nobody answers systemctl.
    await booted.until("test -S /run/systemd/private");
    await booted.until("systemctl is-system-running | grep -E 'running|degraded'");
  } catch (error) {
    await booted.stop();
    throw error;
  }
  return booted;
}

/** Boots what lies in `root` of a directory, which goes with it when it is stopped. */
export async function bootTree(scratch: string): Promise<BootedDebian> {
  const root = join(scratch, "root");
  const { child, output } = startMachine(root);
  return machine({ scratch, root, leader: await leaderOf(child, output), child });
}
