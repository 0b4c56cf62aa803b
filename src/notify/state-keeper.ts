import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../base/atomic-file.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { formatNotifyState, type NotifyState, readNotifyState } from "./notify-file.ts";

export interface StateKeeper {
  /** What an earlier life left; empty where that cannot be told. */
  readonly before: NotifyState;
  /** Something has changed: it is written soon, and what changes meanwhile with it. */
  changed(): void;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

/**
 * Keeps what was told, and what still has to be, in a file. Without it notifications go on, and a restart may tell
 * something twice or forget it; that is said in the log, once until it works again.
 */
export async function openStateKeeper(
  file: string,
  { current, log }: { current: () => NotifyState; log: Logger },
): Promise<StateKeeper> {
  const before = await readBefore(file, log);
  let isDirty = false;
  let isFailing = false;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (isDirty) {
      isDirty = false;
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o755 });
        await writeFileAtomically(file, formatNotifyState(current()), { mode: 0o600 });
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.error({ file, error: describeError(error) }, "state of notifications cannot be written");
        isFailing = true;
      }
    }
    writing = undefined;
  }

  return {
    before,
    changed: () => {
      isDirty = true;
      writing ??= write();
    },
    close: async () => {
      await writing;
    },
  };
}

async function readBefore(file: string, log: Logger): Promise<NotifyState> {
  try {
    const state = await readNotifyState(file);
    if (state !== "damaged") return state;
    await rename(file, `${file}.damaged`);
    log.error(
      { file: `${file}.damaged` },
      "state of notifications is damaged: something may be told twice, or not at all",
    );
  } catch (error) {
    log.error({ file, error: describeError(error) }, "state of notifications cannot be read");
  }
  return new Map();
}
