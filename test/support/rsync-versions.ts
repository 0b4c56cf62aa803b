import { mkdir, mkdtemp, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** One rsync that is installed here or was unpacked for the tests. */
export interface RsyncVersion {
  readonly version: string;
  /** A directory whose `rsync` is that one. */
  readonly bin: string;
}

/**
 * The rsync of this host and, from the package archive, Debian 12's 3.2.7; what cannot be had is
 * explained in `missing`. `directory` is to be removed by the caller.
 */
export async function findRsyncVersions(): Promise<{
  versions: readonly RsyncVersion[];
  missing: string | undefined;
  directory: string;
}> {
  const directory = await mkdtemp(join(tmpdir(), "rsyncdirector-rsync-"));
  const { stdout: which } = await execa("which", ["rsync"]);
  const here = join(directory, "here");
  await mkdir(here);
  await symlink(which.trim(), join(here, "rsync"));
  const versions = [{ version: await versionOf(which.trim()), bin: here }];
  if (versions[0]?.version === "3.2.7") return { versions, missing: undefined, directory };
  try {
    const { stdout: offered } = await execa("apt-cache", ["madison", "rsync"]);
    const wanted = /\b(3\.2\.7-\S+)/.exec(offered)?.[1];
    if (wanted === undefined) return { versions, missing: "rsync 3.2.7 is not in the package archive", directory };
    await execa("apt-get", ["download", `rsync=${wanted}`], { cwd: directory, timeout: 60_000 });
    await execa("sh", ["-c", "dpkg-deb -x rsync_*.deb old"], { cwd: directory });
    const bin = join(directory, "old", "usr", "bin");
    versions.push({ version: await versionOf(join(bin, "rsync")), bin });
    return { versions, missing: undefined, directory };
  } catch (error) {
    return { versions, missing: `rsync 3.2.7 cannot be had: ${String(error).split("\n")[0]}`, directory };
  }
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await execa(program, ["--version"]);
  return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "unknown";
}
