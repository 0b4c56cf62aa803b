import { lstatSync, type Stats } from "node:fs";
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeError } from "../base/errors.ts";

/** A directory of this instance alone, in which the masters of its shared connections listen. */
export interface SocketDirectory {
  readonly path: string;
  /** Why it must not be used any more, or undefined: it is the one that was opened. Cheap; asked before every use. */
  complaint(): string | undefined;
  /** What is in it, as whole paths. */
  entries(): Promise<string[]>;
  /** Removes it if it is empty. */
  remove(): Promise<void>;
}

export type OpenedDirectory = { readonly directory: SocketDirectory } | { readonly problem: string };

/** A name of ours, and what ssh appends to it until it listens (mux.c): `.` and 16 characters. */
const nameLength = 20;
const temporaryLength = 17;
/** sun_path has 108 bytes, the last of which is zero (unix(7)). */
const longestPath = 107;

/**
 * Makes the first of these directories that can be used, or takes the one that an earlier life left. Whoever may
 * write in it could listen in the place of a master and be handed a copy's data, so it has to be ours alone (0700),
 * no symbolic link, below a directory where nobody else can put another one in its place.
 */
export async function openSocketDirectory(candidates: readonly string[]): Promise<OpenedDirectory> {
  const problems: string[] = [];
  for (const path of candidates) {
    const opened = await openOne(path);
    if ("directory" in opened) return opened;
    problems.push(`${path}: ${opened.problem}`);
  }
  return { problem: problems.join("; ") };
}

async function openOne(path: string): Promise<OpenedDirectory> {
  if (Buffer.byteLength(path) + 1 + nameLength + temporaryLength > longestPath) {
    return { problem: "the path is too long for a socket" };
  }
  try {
    const parent = parentComplaint(lstatSync(dirname(path)));
    if (parent !== undefined) return { problem: parent };
    // Fails where somebody was first; what is there is looked at in either case.
    await mkdir(path, { mode: 0o700 }).catch(() => undefined);
    const first = lstatSync(path);
    const problem = ownComplaint(first);
    return problem === undefined ? { directory: directoryOf(path, first) } : { problem };
  } catch (error) {
    return { problem: describeError(error) };
  }
}

function directoryOf(path: string, first: Stats): SocketDirectory {
  return {
    path,
    complaint: () => {
      try {
        const now = lstatSync(path);
        if (now.ino !== first.ino || now.dev !== first.dev) return `${path} has been replaced`;
        const complaint = ownComplaint(now);
        return complaint === undefined ? undefined : `${path}: ${complaint}`;
      } catch (error) {
        return describeError(error);
      }
    },
    entries: async () => (await readdir(path).catch(() => [])).map((name) => join(path, name)),
    remove: () => rmdir(path).catch(() => undefined),
  };
}

function ownComplaint(status: Stats): string | undefined {
  if (status.isSymbolicLink()) return "it is a symbolic link";
  if (!status.isDirectory()) return "it is no directory";
  if (status.uid !== process.geteuid?.()) return `it belongs to user ${status.uid}`;
  if ((status.mode & 0o077) !== 0) return `others may enter it (mode ${(status.mode & 0o777).toString(8)})`;
  return undefined;
}

/** Where everybody may write but only remove what is theirs (/tmp), what is ours stays. */
function parentComplaint(status: Stats): string | undefined {
  const isSticky = (status.mode & 0o1000) !== 0;
  if ((status.mode & 0o022) !== 0 && !isSticky) return "others may write in the directory above it";
  if (status.uid !== 0 && status.uid !== process.geteuid?.()) {
    return `the directory above it belongs to user ${status.uid}`;
  }
  return undefined;
}

/** Whether a master may be spoken to here: a socket, ours. */
export function isOwnSocket(path: string): boolean {
  try {
    const status = lstatSync(path);
    return status.isSocket() && status.uid === process.geteuid?.();
  } catch {
    return false;
  }
}

export function removeSocket(path: string): Promise<void> {
  return rm(path, { force: true });
}
