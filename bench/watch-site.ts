import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LockHost, plainSsh, type Way } from "./lock-host.ts";

/** From where to where a peer of the benchmark carries files, by which ssh, and with which rsync. */
export interface WatchSite {
  readonly directory: string;
  readonly source: string;
  readonly dest: string;
  readonly host: LockHost;
  readonly way: Way;
  /** The plain ssh client for `rsync -e`, without the name of the host. */
  readonly rsh: string;
  /** Stands before the others in PATH: its rsync counts itself and becomes the real one. */
  readonly bin: string;
  /** How many rsyncs were started here, on this side of ssh. */
  rsyncs(): number;
}

export async function makeWatchSite(directory: string, host: LockHost, way: Way): Promise<WatchSite> {
  const [source, dest, bin] = [join(directory, "source"), join(directory, "dest"), join(directory, "bin")];
  for (const path of [source, dest, bin]) await mkdir(path, { recursive: true });
  const starts = join(directory, "rsync-starts");
  await writeFile(starts, "");
  const real = execFileSync("sh", ["-c", "command -v rsync"], { encoding: "utf8" }).trim();
  await writeFile(join(bin, "rsync"), `#!/bin/sh\necho >>${starts}\nexec ${real} "$@"\n`);
  await chmod(join(bin, "rsync"), 0o755);
  return {
    ...{ directory, source, dest, host, way, bin },
    rsh: plainSsh(host, way).slice(0, -2).join(" "),
    rsyncs: () => readFileSync(starts, "latin1").length,
  };
}

/** See statfs(2). */
const tmpfsMagic = 0x01021994;
const shared = "/dev/shm";

/** Calls back with a directory on a tmpfs, where there is one; a disk would be measured with everything else. */
export async function onTmpfs<T>(fallback: string, use: (directory: string, where: string) => Promise<T>): Promise<T> {
  if (!isTmpfs(shared)) return use(fallback, "trees on disk");
  const directory = await mkdtemp(join(shared, "rsyncdirector-bench-"));
  try {
    return await use(directory, "trees on tmpfs");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === tmpfsMagic;
  } catch {
    return false;
  }
}
