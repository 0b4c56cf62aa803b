import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../base/atomic-file.ts";
import {
  believedFrom,
  believedNow,
  type ClockBelief,
  type ClockReading,
  isInDoubt,
  judgeClock,
} from "../base/clock-belief.ts";
import type { Clock } from "../base/clock.ts";
import { describeError, systemErrorCode } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ClockDoubt } from "../model/status.ts";
import { formatClockBelief, readClockBelief } from "./clock-file.ts";

/** Doubts a wall clock that is suddenly far ahead, because everything is old by it. */
export interface ClockWatch {
  /**
   * Takes the first look. `newest` is asked where no clock was seen before for a time (ms) that is known to have been; null:
   * there is none.
   */
  begin(newest: () => number | null): void;
  /** From when ages are counted back (ms): the wall clock, or what it said before it was in doubt. */
  readonly believedNow: () => number;
  /** What people have to know of a clock that is doubted; null: it is not. */
  readonly doubt: () => ClockDoubt | null;
  /** Writes down what is worth it. */
  close(): Promise<void>;
}

/** The file may be so far behind; a gap has to be much longer to be wondered at. */
const writtenAfterMs = 86_400_000;

/**
 * The clock is looked at when somebody asks, and what is thought of it kept in a file, beside the work: nobody waits for
 * the disk, and after a crash the next look comes to the same.
 */
export function createClockWatch({ file, clock, log }: { file: string; clock: Clock; log: Logger }): ClockWatch {
  let belief: ClockBelief = { believed: null, strange: null };
  let written: ClockBelief | undefined;
  let writing: Promise<void> | undefined;
  let isFailing = false;
  let isDoubtTold = false;

  const look = (): number => {
    const now = readClock(clock);
    belief = judgeClock(belief, now);
    tell();
    if (isWorthWriting(belief, written)) writing ??= write();
    return believedNow(belief, now.wall);
  };

  function tell(): void {
    const doubt = doubtOf(belief, readClock(clock));
    if ((doubt !== null) === isDoubtTold) return;
    isDoubtTold = doubt !== null;
    const fields = { clock: isoTime(clock.now()) };
    if (doubt === null) return log.info(fields, "the clock is not in doubt any more");
    const until = isoTime(doubt.until);
    if (doubt.lastSeenAt === null) {
      log.warn(
        { ...fields, until },
        "nobody knows when the clock was last seen, and nothing is deleted for its age for a week",
      );
      return;
    }
    log.warn(
      { ...fields, lastSeen: isoTime(doubt.lastSeenAt), until },
      "the clock is far ahead of when it was last seen: nothing more is deleted for its age until the clock is put right, or has gone on for a week",
    );
  }

  async function write(): Promise<void> {
    try {
      while (isWorthWriting(belief, written)) {
        const content = belief;
        await mkdir(dirname(file), { recursive: true, mode: 0o755 });
        await writeFileAtomically(file, formatClockBelief(content, clock.bootId), { mode: 0o600 });
        written = content;
      }
      isFailing = false;
    } catch (error) {
      if (!isFailing)
        log.error({ file, error: describeError(error) }, "when the clock was last seen cannot be written down");
      isFailing = true;
    } finally {
      writing = undefined;
    }
  }

  function readBefore(newest: () => number | null): ClockBelief {
    try {
      written = readClockBelief(file, clock.bootId);
      return written;
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return beginning(newest(), clock.now());
      // It may have said that the clock is wrong: with nothing to compare with, the clock has to prove itself.
      log.error(
        { file, error: describeError(error) },
        "the file that tells when the clock was last seen cannot be read",
      );
      return { believed: null, strange: null };
    }
  }

  return {
    begin: (newest) => {
      belief = readBefore(newest);
      look();
    },
    believedNow: look,
    doubt: () => {
      look();
      return doubtOf(belief, readClock(clock));
    },
    close: async () => {
      look();
      await writing;
    },
  };
}

/** Nothing was ever written: a time in the future tells nothing, and without any the clock is believed. */
function beginning(newest: number | null, now: number): ClockBelief {
  return { believed: { wall: newest === null || newest > now ? now : newest, boot: undefined }, strange: null };
}

function readClock(clock: Clock): ClockReading {
  return { wall: clock.now(), boot: clock.monotonic() };
}

function doubtOf(belief: ClockBelief, now: ClockReading): ClockDoubt | null {
  const { believed, strange } = belief;
  if (strange === null || !isInDoubt(belief)) return null;
  return { since: strange.wall, lastSeenAt: believed?.wall ?? null, until: believedFrom(belief, now) };
}

function isWorthWriting(belief: ClockBelief, written: ClockBelief | undefined): boolean {
  if (written === undefined || belief.strange?.wall !== written.strange?.wall) return true;
  const [now, before] = [belief.believed?.wall, written.believed?.wall];
  return now === undefined || before === undefined ? now !== before : Math.abs(now - before) >= writtenAfterMs;
}

function isoTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
