import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startSshd, type TestSshd } from "../test/support/sshd.ts";
import { type SlowLine, startSlowLine } from "./slow-line.ts";

/** One way to a host of locks: to its sshd itself, or over the slow line. */
export interface Way {
  readonly port: number;
  /** Answers with what it is sent, over the same way. */
  readonly echoPort: number;
}

/** A real sshd, reached at once and over a slow line. */
export interface LockHost {
  readonly sshd: TestSshd;
  readonly line: SlowLine;
  readonly near: Way;
  readonly far: Way;
  /** For locks; the host shares the disk with whoever measures. */
  readonly directory: string;
  /** Its keys under the ports of both ways. */
  readonly knownHostsFile: string;
  stop(): Promise<void>;
}

export interface LockHostOptions {
  /** Further lines of its sshd_config. */
  readonly config?: readonly string[];
  /** Of the slow line. */
  readonly roundTripMs?: number;
}

export async function startLockHost(directory: string, options: LockHostOptions = {}): Promise<LockHost> {
  const sshd = await startSshd({ config: options.config ?? [] });
  const line = await startSlowLine(sshd.port, options.roundTripMs);
  const locks = join(directory, "locks");
  await mkdir(locks, { recursive: true });
  const key = await readFile(sshd.knownHostsFile, "utf8");
  const knownHostsFile = join(directory, "known_hosts");
  await writeFile(knownHostsFile, key + key.replace(`:${sshd.port} `, `:${line.target} `));
  return {
    sshd,
    line,
    near: { port: sshd.port, echoPort: line.echo },
    far: { port: line.target, echoPort: line.delayedEcho },
    directory: locks,
    knownHostsFile,
    stop: async () => {
      await line.stop();
      await sshd.stop();
    },
  };
}

/** The command line of the plain ssh client for the same account, without any configuration file. */
export function plainSsh(host: LockHost, way: Way, ...remote: string[]): [string, ...string[]] {
  const { sshd, knownHostsFile } = host;
  const options = ["BatchMode=yes", "IdentitiesOnly=yes", `UserKnownHostsFile=${knownHostsFile}`];
  const to = ["-p", String(way.port), "-i", sshd.identityFile, "-l", sshd.user];
  return ["ssh", "-F", "none", ...options.flatMap((option) => ["-o", option]), ...to, "--", sshd.host, ...remote];
}

/** The same client as one word for rsync's `-e`. */
export function rsyncShell(host: LockHost, way: Way): string {
  return plainSsh(host, way).slice(0, -2).join(" ");
}

export interface RemoteJob {
  readonly type: "remote";
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly private_ssh_key: string;
  readonly ssh: object;
}

/** What a job needs to reach it that way, without any configuration file of ssh. */
export function remoteJob({ sshd, knownHostsFile }: LockHost, { port }: Way): RemoteJob {
  return {
    ...{ type: "remote", host: sshd.host, user: sshd.user, port, private_ssh_key: sshd.identityFile },
    ssh: { known_hosts_file: knownHostsFile },
  };
}
