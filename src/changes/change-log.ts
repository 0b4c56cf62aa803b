import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { systemErrorCode } from "../base/errors.ts";
import type { LogPosition } from "../model/tracked-change.ts";
import { entryMark, splitLogEntries } from "./log-entry.ts";

export interface ChangeLogSettings {
  readonly file: string;
  /** Bytes; beyond this it is rotated before the next batch. */
  readonly maxSize: number;
  /** So many rotated logs (`.1` is the newest) are kept. */
  readonly keep: number;
}

const appendFlags =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const longestScan = 1024 ** 3;

/**
 * Where the log ends now, after it was rotated if it has grown too large. The file is opened anew for each
 * use, so that renaming and truncating by others (logrotate) do no harm. Throws the system error.
 */
export function prepareLog(settings: ChangeLogSettings): LogPosition {
  mkdirSync(dirname(settings.file), { recursive: true, mode: 0o700 });
  const size = statSync(settings.file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > settings.maxSize) rotate(settings);
  return withLog(settings.file, (log) => {
    const { ino, size: offset } = fstatSync(log);
    return { file: settings.file, inode: ino, offset };
  });
}

/** Writes entries and waits until they are on the disk; `step` is told before each. */
export function appendToLog(file: string, entries: readonly Buffer[], step: (name: string) => void): void {
  if (entries.length === 0) return;
  withLog(file, (log) => {
    for (const entry of entries) {
      step("write an entry");
      for (let done = 0; done < entry.length;) done += writeSync(log, entry, done);
    }
    step("sync log");
    fsyncSync(log);
  });
}

/**
 * Those entries of a batch that are not in the log yet, after a crash while they were written. An entry that was
 * cut off is taken out. A log that was rotated meanwhile is looked for among its neighbours.
 */
export function missingEntries(position: LogPosition, batchId: string, entries: readonly Buffer[]): Buffer[] {
  const tail = readTail(position);
  if (tail === undefined) {
    const others = neighboursOf(position.file).map(readWhole);
    return entries.filter((_, index) => {
      const mark = entryMark(batchId, index + 1);
      return !others.some((text) => text.includes(mark));
    });
  }
  const complete = splitLogEntries(tail);
  const written = (entry: Buffer) => complete.some((found) => found.equals(entry));
  const missing = entries.filter((entry) => !written(entry));
  const end = complete.reduce((sum, { length }) => sum + length, 0);
  const rest = tail.subarray(end);
  const [next] = missing;
  const cutOff = rest.length > 0 && next !== undefined && next.subarray(0, rest.length).equals(rest);
  if (cutOff) withLog(position.file, (log) => ftruncateSync(log, position.offset + end));
  return missing;
}

/** undefined: the log is another file now, or was truncated. */
function readTail({ file, inode, offset }: LogPosition): Buffer | undefined {
  if (!existsSync(file)) return undefined;
  return withLog(file, (log) => {
    const stats = fstatSync(log);
    if (stats.ino !== inode || stats.size < offset) return undefined;
    const tail = Buffer.alloc(Math.min(stats.size - offset, longestScan));
    let length = 0;
    while (length < tail.length) {
      const count = readSync(log, tail, length, tail.length - length, offset + length);
      if (count === 0) break;
      length += count;
    }
    return tail.subarray(0, length);
  });
}

function neighboursOf(file: string): string[] {
  if (!existsSync(dirname(file))) return [];
  const name = basename(file);
  const others = readdirSync(dirname(file)).filter((other) => other === name || other.startsWith(name));
  return others.map((other) => join(dirname(file), other));
}

/** What cannot be read, or is not text after all, holds no entry of ours. */
function readWhole(file: string): Buffer {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > longestScan) return Buffer.alloc(0);
    const content = readFileSync(file);
    return file.endsWith(".gz") ? gunzipSync(content, { maxOutputLength: longestScan }) : content;
  } catch {
    return Buffer.alloc(0);
  }
}

/** From the oldest on, so that a crash in the middle leaves a gap and loses nothing. */
function rotate({ file, keep }: ChangeLogSettings): void {
  if (keep === 0) return rmSync(file, { force: true });
  for (let number = keep - 1; number >= 1; number -= 1) renameIfThere(`${file}.${number}`, `${file}.${number + 1}`);
  renameIfThere(file, `${file}.1`);
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

function withLog<T>(file: string, use: (log: number) => T): T {
  const log = openSync(file, appendFlags, 0o600);
  try {
    if (!fstatSync(log).isFile()) throw new Error(`the change log ${file} is not a regular file`);
    return use(log);
  } finally {
    closeSync(log);
  }
}
