import { execa } from "execa";
import { existsSync, readdirSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "../../src/process/find-program.ts";

/** Where Debian's package faketime has its library; undefined: nowhere. */
const faketimeLibrary = readdirSync("/usr/lib")
  .map((folder) => join("/usr/lib", folder, "faketime", "libfaketime.so.1"))
  .find((path) => existsSync(path));

/** Why no host here can have a clock of its own; undefined: it can. */
export const whyNoHostClock =
  faketimeLibrary === undefined
    ? "libfaketime (Debian package faketime) is not installed"
    : findProgram("gcc", process.env["PATH"] ?? "") === undefined
      ? "gcc (Debian package build-essential) is not installed"
      : undefined;

/**
 * Perl sets a file's time to now with utimes(file, NULL), and libfaketime 0.9.10 makes times of it that are whatever its
 * stack has there (its issues 535 and 537). It is made the call of touch(1), of which libfaketime makes the time of the clock.
 */
const utimesLikeTouch = `
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
int utimes(const char *file, const struct timeval times[2]) {
  struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (times) { errno = ENOSYS; return -1; }
  return utimensat(AT_FDCWD, file, now, 0);
}
`;

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
  const touching = join(directory, "utimes.so");
  await execa("gcc", ["-shared", "-fPIC", "-o", touching, "-x", "c", "-"], { input: utimesLikeTouch });
  return {
    words: [
      `HOME=${directory}`,
      `LD_PRELOAD=${touching}:${faketimeLibrary}`,
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
