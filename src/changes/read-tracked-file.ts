import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { systemErrorCode } from "../base/errors.ts";
import type { FileState } from "../model/tracked-change.ts";

export interface ReadOptions {
  /** Bytes; of larger files the content is not kept. */
  readonly maxSize: number;
  /** Whether larger files are read for their checksum. */
  readonly hashLarge: boolean;
  /** Wall clock (ms) before the file is looked at. */
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/** `content` is null for a file beyond the limit. */
export interface TrackedContent {
  readonly state: FileState;
  readonly content: Buffer | null;
}

/** Neither a pipe nor a link in the place of a file is waited for or followed. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const notAFile: readonly (string | undefined)[] = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "ENODEV", "EISDIR"];
/** Kernel time stamps advance in ticks: a change so soon after another one may not show. */
const tickMs = 50;
const chunkSize = 1024 * 1024;

/** Reads a regular file; undefined when there is none. Throws the system error when it cannot be read. */
export async function readTrackedFile(file: string, options: ReadOptions): Promise<TrackedContent | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, openFlags);
  } catch (error) {
    if (notAFile.includes(systemErrorCode(error))) return undefined;
    throw error;
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return undefined;
    return await readOpenFile(handle, stats, options);
  } finally {
    await handle.close();
  }
}

/** What `FileState.stamp` would be now; undefined when there is no regular file. */
export async function readStamp(file: string): Promise<string | undefined> {
  try {
    const stats = await lstat(file, { bigint: true });
    return stats.isFile() ? stampOf(stats) : undefined;
  } catch (error) {
    if (notAFile.includes(systemErrorCode(error))) return undefined;
    throw error;
  }
}

async function readOpenFile(handle: FileHandle, stats: BigIntStats, options: ReadOptions): Promise<TrackedContent> {
  const { maxSize, hashLarge, now, signal } = options;
  // A stamp that may hide the next change is not trusted: the file is read again the next time.
  const settled = Number(stats.ctimeMs) < now - tickMs;
  const common = {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    stamp: settled ? stampOf(stats) : "",
  };
  const content = Number(stats.size) <= maxSize ? await readUpTo(handle, Number(stats.size), maxSize) : undefined;
  if (content !== undefined) {
    const kind = isText(content) ? "text" : "binary";
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { state: { kind, size: content.length, sha256, ...common }, content };
  }
  if (!hashLarge) return { state: { kind: "large", size: Number(stats.size), sha256: null, ...common }, content: null };
  const { sha256, size } = await hashAll(handle, signal);
  return { state: { kind: "large", size, sha256, ...common }, content: null };
}

/** Text is what UTF-8 can be without a zero byte; the name says nothing. */
export function isText(content: Buffer): boolean {
  return !content.includes(0) && isUtf8(content);
}

function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}

/** undefined: it has grown beyond the limit meanwhile. */
async function readUpTo(handle: FileHandle, expected: number, limit: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    // One byte more than there should be, so that the end is seen by the same read.
    const room = Math.max(expected + 1 - length, length === 0 ? 1 : chunkSize / 16);
    const buffer = Buffer.allocUnsafe(Math.min(room, chunkSize, limit + 1 - length));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, length);
    parts.push(buffer.subarray(0, bytesRead));
    length += bytesRead;
    if (length > limit) return undefined;
    if (bytesRead === 0 || (bytesRead < buffer.length && length === expected)) return Buffer.concat(parts, length);
  }
}

async function hashAll(handle: FileHandle, signal?: AbortSignal): Promise<{ sha256: string; size: number }> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(chunkSize);
  let size = 0;
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size);
    if (bytesRead === 0) return { sha256: hash.digest("hex"), size };
    hash.update(buffer.subarray(0, bytesRead));
    size += bytesRead;
  }
}
