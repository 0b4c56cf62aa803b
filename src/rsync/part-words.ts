import { keepRsyncOptions, rsyncOptionNames, deletesAtDestination, readRsyncWords } from "../base/rsync-words.ts";
import { shareOfBandwidth } from "../base/parallel-conflicts.ts";
import { isFilterOption } from "./filter-patterns.ts";
import { readPath } from "./itemized-changes.ts";

/** A regular file that a sync would transfer. */
export interface FileToCopy {
  /** Relative to the source. */
  readonly path: string;
  readonly bytes: number;
}

/** What a line of the look says: a file, something that would be deleted, a directory at dest that is new, or neither. */
export type LookLine = { readonly file: FileToCopy } | { readonly deleted: string } | "new root" | "other";

/** Begins every line that is told of a path; what else rsync writes does not look like it. */
const mark = "rsyncdirector-part";

/** The words after the user's for a dry run that says what would be copied and deleted. */
export const lookWords: readonly string[] = [`--out-format=${mark} %i %l %n`];

/** Reads one line of a look; undefined: rsync says something else. */
export function readLookLine(line: string): LookLine | undefined {
  if (!line.startsWith(`${mark} `)) return undefined;
  const [, flags = "", bytes = "", name = ""] = /^\S+ (\*deleting {2}|\S+) (\d+) (.+)$/s.exec(line) ?? [];
  if (flags.startsWith("*deleting")) return { deleted: readPath(name) };
  if (namesNewRoot(`${flags} ${name}`)) return "new root";
  // A name with bytes that are no UTF-8, or with what looks like one: the last rsync copies it.
  if (!/^[<>]f/.test(flags) || /\\#(?:[23][0-7]{2}|134#)/.test(name)) return "other";
  return { file: { path: readPath(name), bytes: Number(bytes) } };
}

/** Whether an itemised line says that the directory at the destination has been made. */
export function namesNewRoot(line: string): boolean {
  return /^cd\++ \.\/$/.test(line);
}

/** What hides or adds lines, in a call whose lines are read here. */
const speaking: ReadonlySet<string> = new Set(["info", "debug"]);

/** The user's words for a look: the same but for what rsync is to say. */
export function wordsOfLook(words: readonly string[]): string[] {
  const ours = new Set([...speaking, "v", "verbose", "i", "itemize-changes", "progress", "h", "human-readable"]);
  return keepRsyncOptions(words, (name) => !ours.has(name));
}

/**
 * The user's words for a call that copies a list of files: it deletes nothing, what is left out is left out already,
 * and the limit of the transfer rate is for all of them together.
 */
export function wordsOfPart(words: readonly string[], parts: number): string[] {
  const dropped = new Set([...speaking, "m", "prune-empty-dirs", "max-delete", "bwlimit"]);
  const kept = keepRsyncOptions(words, (name) => {
    return !deletesAtDestination(name) && !isFilterOption(name) && !dropped.has(name);
  });
  const limit = lastBandwidth(words);
  const share = limit === undefined ? undefined : shareOfBandwidth(limit, parts);
  return share === undefined ? kept : [...kept, `--bwlimit=${share}`];
}

/**
 * The words after the user's for a part. Times of directories are left to the last rsync. An owner who may not write
 * into a directory makes rsync let itself in and shut it at its end, while another part may still be at work there: so
 * directories stay open until the last rsync.
 */
export function partWords(words: readonly string[]): string[] {
  const names = rsyncOptionNames(words);
  const setsModes = ["a", "archive", "p", "perms"].some((name) => names.has(name));
  return ["--omit-dir-times", ...(setsModes && !names.has("no-p") && !names.has("no-perms") ? ["--chmod=Du+rwx"] : [])];
}

/** The words after the user's for a call that makes the directory at the destination, says so, and puts nothing in it. */
export function destinationWords(words: readonly string[]): readonly string[] {
  const names = rsyncOptionNames(words);
  // Given twice it names what is unchanged, too.
  const itemize = names.has("i") || names.has("itemize-changes") ? [] : ["--itemize-changes"];
  return ["--no-recursive", "--dirs", "--exclude=*", ...itemize, ...partWords(words)];
}

function lastBandwidth(words: readonly string[]): string | undefined {
  let limit: string | undefined;
  for (const word of readRsyncWords(words)) {
    if (word.kind !== "option") continue;
    if (word.name === "bwlimit") limit = word.value;
    if (word.name === "no-bwlimit") limit = undefined;
  }
  return limit;
}
