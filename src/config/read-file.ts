import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { OperatorError, systemErrorCode } from "../base/errors.ts";

/** No configuration is larger; a limit keeps a wrong path (a disk image) from being read into memory. */
const largestFile = 1024 * 1024;

export interface ConfigFile {
  /** Absolute, as it was given: links are not resolved, so that messages name what the user knows. */
  readonly file: string;
  readonly text: string;
  readonly worldReadable: boolean;
}

/**
 * Reads a configuration file whose content decides what is run as which user: only its owner and root
 * may be able to change it. It is opened once and judged by the open file, so that nobody can exchange
 * it in between. Throws an `OperatorError` when it cannot be read or must not be trusted.
 */
export async function readConfigFile(path: string, uid: number | undefined): Promise<ConfigFile> {
  const file = resolve(path);
  const refuse = (problem: string) => new OperatorError(`${file}: ${problem}`, { kind: "usage" });
  try {
    // Without O_NONBLOCK opening a FIFO would wait for a writer for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw refuse("is not a regular file");
      if (uid !== undefined && status.uid !== 0 && status.uid !== uid) {
        throw refuse(
          `belongs to user ${status.uid}: it must belong to root or to the user that runs rsyncdirector (${uid})`,
        );
      }
      if ((status.mode & 0o022) !== 0) {
        throw refuse(`others may write to it (mode ${formatMode(status.mode)}): run chmod go-w on it`);
      }
      if (status.size > largestFile) throw refuse(`is larger than 1 MiB (${status.size} bytes)`);
      const bytes = await handle.readFile();
      if (bytes.length > largestFile) throw refuse("is larger than 1 MiB");
      const loose = await looseDirectory(file);
      if (loose !== undefined) {
        throw refuse(`everybody may rename files in ${loose}: run chmod o-w (or chmod +t) on that directory`);
      }
      return { file, text: decode(bytes, refuse), worldReadable: (status.mode & 0o004) !== 0 };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw refuse(describeSystemError(error));
  }
}

/** The first directory above the file that everybody may write to and that is not sticky. */
async function looseDirectory(file: string): Promise<string | undefined> {
  for (let path = dirname(await realpath(file)); ; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) return path;
    if (path === dirname(path)) return undefined;
  }
}

function decode(bytes: Buffer, refuse: (problem: string) => OperatorError): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("is not UTF-8 text");
  }
}

function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

function describeSystemError(error: unknown): string {
  switch (systemErrorCode(error)) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "may not be read by this user";
    case "ELOOP":
      return "has too many symbolic links";
    case "ENOTDIR":
      return "a part of the path is not a directory";
    case "ENAMETOOLONG":
      return "the path is too long";
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
