import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { OperatorError, systemErrorCode } from "../base/errors.ts";
import { quoteUntrusted } from "../base/untrusted-text.ts";

export interface RestoreOptions {
  /** The directory that the file lies below; links in it are followed. */
  readonly root: string;
  /** Names below it, the file's own last; links among them are not followed. */
  readonly names: readonly string[];
  readonly content: Buffer;
  readonly mode: number;
  /** Set where this account may. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** A file with another content than one of these checksums is replaced only by `force`. */
  readonly replaceable: readonly string[];
  readonly force: boolean;
}

export type Restored = "written" | "replaced" | "same";

const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Writes a file so that it is there as a whole or not at all. Every directory on the way is opened by the one before, so
 * that nobody can lead the way elsewhere meanwhile. Throws an `OperatorError` that says what is in the way.
 */
export async function restoreFile(options: RestoreOptions): Promise<Restored> {
  const parents = options.names.slice(0, -1);
  const name = options.names.at(-1) ?? "";
  let directory = await open(options.root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const part of parents) {
      const next = await openBelow(directory, part, options);
      await directory.close();
      directory = next;
    }
    return await writeInto(directory, name, options);
  } finally {
    await directory.close();
  }
}

/** A path below an open directory, whatever becomes of the directory's name meanwhile. */
function below(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

async function openBelow(directory: FileHandle, name: string, options: RestoreOptions): Promise<FileHandle> {
  try {
    await mkdir(below(directory, name)).catch((error: unknown) => {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    });
    return await open(below(directory, name), directoryFlags);
  } catch (error) {
    if (!["ENOTDIR", "ELOOP"].includes(systemErrorCode(error) ?? "")) throw error;
    const path = quoteUntrusted([options.root, ...options.names].join("/"), 1000);
    throw new OperatorError(
      `${path} is not written: ${quoteUntrusted(name)} on the way to it is a link or no directory; use --to FILE`,
    );
  }
}

async function writeInto(directory: FileHandle, name: string, options: RestoreOptions): Promise<Restored> {
  const target = below(directory, name);
  const found = await contentOf(target);
  const path = quoteUntrusted([options.root, ...options.names].join("/"), 1000);
  if (found === "directory") throw new OperatorError(`${path} is not written: a directory is in its place`);
  const wanted = hashOf(options.content);
  if (found === wanted) return "same";
  if (found !== undefined && !options.force && !options.replaceable.includes(found)) {
    const why = found === "special" ? "is no regular file" : "has changed since that run";
    throw new OperatorError(`${path} ${why}: --force replaces it, --to FILE writes elsewhere`);
  }
  const temporary = below(directory, `.${randomBytes(6).toString("hex")}.restore`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(options.content);
      // Before the mode: changing the owner takes set-id bits away.
      if (options.owner !== undefined) await giveTo(file, options.owner);
      await file.chmod(options.mode & 0o777);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await directory.sync();
  return found === undefined ? "written" : "replaced";
}

/** Only root may give files away; for others the file is theirs. */
async function giveTo(file: FileHandle, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  try {
    await file.chown(uid, gid);
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") throw error;
  }
}

/** Its checksum, `directory`, `special` for a link and the like; undefined: nothing is there. */
async function contentOf(target: string): Promise<string | undefined> {
  try {
    const stats = await lstat(target);
    if (stats.isDirectory()) return "directory";
    return stats.isFile() ? hashOf(await readFile(target)) : "special";
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function hashOf(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
