import { existsSync, readdirSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where Debian's package faketime has its library; undefined: nowhere. */
export const faketimeLibrary = readdirSync("/usr/lib")
  .map((folder) => join("/usr/lib", folder, "faketime", "libfaketime.so.1"))
  .find((path) => existsSync(path));

/**
 * A clock for everything that an sshd starts. sshd takes one SetEnv line, so `words` are for it with all others; `set` takes
 * seconds before or after the true time, at once and for what runs already.
 */
export async function createHostClock(directory: string): Promise<{
  words: readonly string[];
  set: (seconds: number) => Promise<void>;
}> {
  const file = join(directory, "clock");
  const set = async (seconds: number) => {
    await writeFile(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    await rename(`${file}.new`, file);
  };
  await set(0);
  return {
    words: [
      `HOME=${directory}`,
      `LD_PRELOAD=${faketimeLibrary}`,
      `FAKETIME_TIMESTAMP_FILE=${file}`,
      "FAKETIME_NO_CACHE=1",
    ],
    set,
  };
}

/** libfaketime leaves two files in memory for each process that was killed. Those of processes that are gone are removed. */
export async function removeLeftClocks(): Promise<void> {
  const memory = "/dev/shm";
  const left = readdirSync(memory).filter((name) => {
    const pid = /^(?:sem\.)?faketime_(?:sem|shm)_(\d+)$/.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  });
  for (const name of left) await rm(join(memory, name), { force: true });
}
