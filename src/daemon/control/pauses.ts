import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { Pause } from "../../model/status.ts";
import { type PausedJobs, readPauses, writePauses } from "./pauses-file.ts";

export interface Pauses {
  /** undefined: the job is not paused. */
  of(jobId: string): Pause | undefined;
  /** Throws the system error when it cannot be kept; the job is as it was then. */
  pause(jobId: string, pause: Omit<Pause, "since">): Pause;
  /** Whether it was paused. Throws the system error when that cannot be kept; the job stays paused then. */
  resume(jobId: string, by: string): boolean;
  stop(): void;
}

/** The wall clock decides when a pause is over, and it may jump: it is looked at this often at least. */
const longestSleepMs = 20_000;

/**
 * Which jobs are paused, kept in a file over restarts. Throws an `OperatorError` when that file is there and cannot be
 * read. A pause whose time was over while no director ran has ended.
 */
export function openPauses(file: string, deps: { clock: Clock; events: Emitter<DirectorEvents>; log: Logger }): Pauses {
  const { clock, events, log } = deps;
  let paused = new Map(readPauses(file));
  let cancelTimer: CancelTimer | undefined;

  const replace = (next: PausedJobs) => {
    writePauses(file, next);
    paused = new Map(next);
    arm();
  };
  const arm = () => {
    cancelTimer?.();
    cancelTimer = undefined;
    const ends = [...paused.values()].flatMap(({ until }) => until ?? []);
    if (ends.length === 0) return;
    const wait = Math.min(longestSleepMs, Math.max(0, Math.min(...ends) - clock.now()));
    cancelTimer = clock.setTimer(wait, expire);
  };
  /** Times that are over need not be written down: whoever reads them sees that they are. */
  const expire = () => {
    const over = [...paused].filter(([, pause]) => isOver(pause, clock.now())).map(([jobId]) => jobId);
    for (const jobId of over) paused.delete(jobId);
    arm();
    if (over.length === 0) return;
    try {
      writePauses(file, paused);
    } catch (error) {
      log.warn(
        { file, error: describeError(error) },
        "the end of a pause could not be written down; it holds all the same",
      );
    }
    for (const jobId of over) events.emit("job:resumed", { jobId, by: null, at: clock.now() });
  };

  expire();
  return {
    of: (jobId) => {
      const pause = paused.get(jobId);
      return pause === undefined || isOver(pause, clock.now()) ? undefined : pause;
    },
    pause: (jobId, { until, by, reason }) => {
      const pause = { since: clock.now(), until, by, reason };
      replace(new Map(paused).set(jobId, pause));
      events.emit("job:paused", { jobId, pause, at: pause.since });
      return pause;
    },
    resume: (jobId, by) => {
      const before = paused.get(jobId);
      if (before === undefined) return false;
      const others = new Map(paused);
      others.delete(jobId);
      replace(others);
      events.emit("job:resumed", { jobId, by, at: clock.now() });
      return true;
    },
    stop: () => {
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}

export function isOver({ until }: Pause, now: number): boolean {
  return until !== null && until <= now;
}

/** Who paused a job, for how long and why, and what ends it. */
export function describePause(jobId: string, { by, since, until, reason }: Pause): string {
  const time = (at: number) => new Date(at).toISOString().slice(0, 19) + "Z";
  const end = until === null ? "until it is resumed" : `until ${time(until)}`;
  const why = reason === null ? "" : ` (${reason})`;
  return `the job is paused by ${by} since ${time(since)}, ${end}${why}; resume it with: rsyncdirector resume ${jobId}`;
}
