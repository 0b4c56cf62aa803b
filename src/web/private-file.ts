import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { OperatorError, systemErrorCode } from "../base/errors.ts";

/** Nothing that is read here is larger. */
const largestFile = 1024 * 1024;

/**
 * Reads a file that decides who may do what. It must be a regular file of root or of this user, and no link that
 * somebody could bend; `forbidden` are the permission bits that nobody else may have. Throws an `OperatorError`.
 *
 * Synchronous, so that a certificate is read before the handshake that brought it up goes on; the files are small.
 */
export function readPrivateFile(path: string, about: { key: string; forbidden: number }): string {
  const refuse = (problem: string) => new OperatorError(`${about.key}: ${path} ${problem}`, { kind: "usage" });
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") throw refuse("does not exist");
    if (code === "ELOOP") throw refuse("is a symbolic link: name the file itself");
    throw refuse(`cannot be read (${code ?? String(error)})`);
  }
  try {
    const problem = distrust(fstatSync(descriptor), about.forbidden);
    if (problem !== undefined) throw refuse(problem);
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

function distrust(status: Stats, forbidden: number): string | undefined {
  if (!status.isFile()) return "is not a regular file";
  const uid = process.geteuid?.();
  if (status.uid !== 0 && status.uid !== uid) return `belongs to user ${status.uid}: it must be root's or this user's`;
  if ((status.mode & forbidden) !== 0) {
    const mode = (status.mode & 0o7777).toString(8).padStart(4, "0");
    return `has the mode ${mode}: run chmod ${(status.mode & 0o777 & ~forbidden).toString(8).padStart(4, "0")} on it`;
  }
  return status.size > largestFile ? "is larger than 1 MiB" : undefined;
}

/** Changes whenever one of the files does, or comes or goes. */
export function fingerprint(paths: readonly string[]): string {
  return paths.map(printOf).join("|");
}

/** Never throws: it is asked for each connection, and a directory that may not be entered is only one more state. */
function printOf(path: string): string {
  try {
    const status = statSync(path, { throwIfNoEntry: false, bigint: true });
    return status === undefined ? "none" : [status.ino, status.size, status.mtimeNs, status.ctimeNs].join(":");
  } catch (error) {
    return systemErrorCode(error) ?? String(error);
  }
}
