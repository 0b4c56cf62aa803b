import { randomBytes } from "node:crypto";
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

/** Everything is on the disk: nobody has to wait for it, and nothing can be done about its failure. */
function closeLater(file: FileHandle): void {
  file.close().catch(() => undefined);
}
