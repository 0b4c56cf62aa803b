import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../../base/atomic-file.ts";
import type { CancelTimer, Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";

/** Keeps a file up to date with what `content` says. Nothing here rejects. */
export interface FileKeeper {
  /** Resolves when what is now to be written is on the disk, or could not be. */
  now(): Promise<void>;
  /** Writes soon; several such wishes cost one write. */
  later(): void;
  /** Writes what is left and then no more. */
  close(): Promise<void>;
}

const lazyMs = 1000;

/** `written` is what the file contains already, if that is known. */
export function createFileKeeper(
  file: string,
  deps: { content: () => string; written: string | undefined; clock: Clock; log: Logger },
): FileKeeper {
  const { content, clock, log } = deps;
  let { written } = deps;
  let turn: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let cancelTimer: CancelTimer | undefined;
  let failing = false;

  const write = async () => {
    next = undefined;
    const text = content();
    if (text === written) return;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o750 });
      await writeFileAtomically(file, text, { mode: 0o640 });
      written = text;
      failing = false;
    } catch (error) {
      // The locks are as safe without it; after a crash they would only have to wait for their lease.
      if (!failing) log.error({ file, error: describeError(error) }, "lock intents cannot be written");
      failing = true;
    }
  };
  /** Everybody who asks while a write is under way shares the next one. */
  const now = (): Promise<void> => {
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
    close: () => {
      cancelTimer?.();
      return now();
    },
  };
}
