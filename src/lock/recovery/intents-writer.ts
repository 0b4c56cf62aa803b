import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { CancelTimer, Clock } from "../../base/clock.ts";
import { describeError, systemErrorCode } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { createSlottedFile, type SlottedFile } from "../../base/slotted-file.ts";

/** Keeps a file up to date with what `content` says. Nothing here rejects. */
export interface FileKeeper {
  /** Resolves to true when what is now to be written is on the disk, to false when it could not be written. */
  now(): Promise<boolean>;
  /** Writes soon; several such wishes cost one write. */
  later(): void;
  /** Writes what is left and then no more. */
  close(): Promise<boolean>;
}

const lazyMs = 1000;

/** What is on the disk when it cannot be written any more gets this name, which needs no space. */
export function outdatedNameOf(file: string): string {
  return `${file}.old`;
}

/** The directory is there but for the first time. */
async function writeOrMakeDirectory(slots: SlottedFile, file: string, text: string): Promise<void> {
  try {
    await slots.write(text);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    await mkdir(dirname(file), { recursive: true, mode: 0o750 });
    await slots.write(text);
  }
}

/** `written` is what the file contains already, if that is known. */
export function createFileKeeper(
  file: string,
  deps: { content: () => string; written: string | undefined; clock: Clock; log: Logger },
): FileKeeper {
  const { content, clock, log } = deps;
  const slots = createSlottedFile(file, { mode: 0o640 });
  let { written } = deps;
  let turn: Promise<boolean> = Promise.resolve(true);
  let next: Promise<boolean> | undefined;
  let cancelTimer: CancelTimer | undefined;
  let failing = false;

  const write = async (): Promise<boolean> => {
    next = undefined;
    const text = content();
    if (text === written) return true;
    try {
      await writeOrMakeDirectory(slots, file, text);
      if (written === undefined) await rm(outdatedNameOf(file), { force: true }).catch(() => undefined);
      written = text;
      failing = false;
      return true;
    } catch (error) {
      // The locks are as safe without it, and the next life finds them by their owner if it knows that it has to.
      if (!failing) {
        log.error({ file, error: describeError(error) }, "lock intents cannot be written");
        await rename(file, outdatedNameOf(file)).catch(() => undefined);
        await slots.close();
      }
      written = undefined;
      failing = true;
      return false;
    }
  };
  /** Everybody who asks while a write is under way shares the next one. */
  const now = (): Promise<boolean> => {
    if (next === undefined) turn = next = turn.then(write);
    return next;
  };
  return {
    now,
    later: () => {
      cancelTimer ??= clock.setTimer(lazyMs, () => {
        cancelTimer = undefined;
        void now();
      });
    },
    close: async () => {
      cancelTimer?.();
      const done = await now();
      await slots.close();
      return done;
    },
  };
}
