import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSshd, type TestSshd } from "../../test/support/sshd.ts";

/** One of the demo's hosts: a directory that stands for its disk and, where there is one, an sshd. */
export interface Host {
  readonly name: string;
  readonly disk: string;
  readonly sshd: TestSshd | undefined;
}

export interface House {
  readonly directory: string;
  readonly laptop: Host;
  readonly backup: Host;
  readonly remote: Host;
  readonly all: readonly Host[];
  /** Ends every sshd and removes everything that was written. */
  close(): Promise<void>;
}

/** Three hosts in a new temporary directory; without `withSsh` they are only directories. */
export async function buildHouse(withSsh: boolean): Promise<House> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "rsyncdirector-demo-")));
  const all: Host[] = [];
  const close = async () => {
    for (const { sshd } of all) await sshd?.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const add = async (name: string): Promise<Host> => {
    const disk = join(directory, name);
    for (const part of ["data", "locks", "run", "state"]) await mkdir(join(disk, part), { recursive: true });
    const host = { name, disk, sshd: withSsh ? await startSshd() : undefined };
    all.push(host);
    return host;
  };
  try {
    const laptop = await add("laptop01");
    const backup = await add("backup01");
    const remote = await add("backup-remote");
    return { directory, laptop, backup, remote, all, close };
  } catch (error) {
    await close();
    throw error;
  }
}
