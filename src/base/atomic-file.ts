import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file so that a reader, or a crash at any moment, sees either the old content or the new:
 * write beside it, fsync, rename, fsync the directory. Throws the system error when that fails and
 * leaves the old file as it was.
 */
export async function writeFileAtomically(path: string, content: string, options: { mode: number }): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  // Opened meanwhile: each call that waits for another costs a turn of the event loop.
  const directory = open(dirname(path), "r");
  directory.catch(() => undefined);
  try {
    const file = await open(temporary, "wx", options.mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      closeLater(file);
    }
    await rename(temporary, path);
    await (await directory).sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    directory.then(closeLater, () => undefined);
  }
}

/** The same for a small file whose writer has to know at once. */
export function writeFileAtomicallySync(path: string, content: string, options: { mode: number }): void {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = openSync(temporary, "wx", options.mode);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Removes a file so that it stays removed after a crash; nothing when there is none. */
export function removeFileSync(path: string): void {
  rmSync(path, { force: true });
  syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Everything is on the disk: nobody has to wait for it, and nothing can be done about its failure. */
function closeLater(file: FileHandle): void {
  file.close().catch(() => undefined);
}
