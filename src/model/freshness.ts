import type { Freshness } from "./status.ts";

/** What is known of the copies of one job at one target. Times are wall-clock milliseconds. */
export interface FreshnessFacts {
  readonly enabled: boolean;
  /** Whether the history could say when it last succeeded, before this director started. */
  readonly isPastKnown: boolean;
  readonly lastSuccessAt: number | null;
  /** undefined: no schedule runs the job. */
  readonly schedule: DueTimes | undefined;
  /** undefined: the job does not watch. */
  readonly watch: { readonly oldestPendingAt: number | null; readonly maxDelayMs: number } | undefined;
}

/** The first two times after the last success at which the schedule comes due; null: there is none (any more). */
export interface DueTimes {
  readonly due: number | null;
  readonly following: number | null;
}

const minute = 60_000;
/** A run takes its time, and a retry too: nothing is called stale the moment its time has come. */
const shortestAllowance = 10 * minute;
const longestAllowance = 24 * 60 * minute;
/** So long may a change be on its way, at least. */
const shortestDelay = 15 * minute;

/**
 * Whether copies are as new as promised. With a schedule: they are stale when a time has passed since the last
 * success, and half of the schedule's interval more (10 minutes at least, a day at most). It is the first such time
 * that counts, so that an hourly job that fails all day is stale all day. Watched: when a change has been on its way
 * for 15 minutes, or ten times `max_delay`. Both: the worse counts.
 */
export function freshnessOf(facts: FreshnessFacts, now: number): Freshness {
  const { enabled, isPastKnown, lastSuccessAt, schedule, watch } = facts;
  if (!enabled) return "unmeasured";
  if (lastSuccessAt === null) return isPastKnown ? "never" : "unknown";
  if (schedule === undefined && watch === undefined) return "unmeasured";
  const isLate = now > staleFrom(schedule) || (watch !== undefined && isOverdue(watch, now));
  return isLate ? "stale" : "fresh";
}

function staleFrom(schedule: DueTimes | undefined): number {
  if (schedule === undefined || schedule.due === null) return Infinity;
  const { due, following } = schedule;
  const half = following === null ? longestAllowance : (following - due) / 2;
  return due + Math.min(longestAllowance, Math.max(shortestAllowance, half));
}

function isOverdue(
  { oldestPendingAt, maxDelayMs }: { readonly oldestPendingAt: number | null; readonly maxDelayMs: number },
  now: number,
): boolean {
  return oldestPendingAt !== null && now - oldestPendingAt > Math.max(shortestDelay, 10 * maxDelayMs);
}

/** From best to worst. That nobody measures one of several targets makes the others no worse. */
const badness: readonly Freshness[] = ["unmeasured", "fresh", "unknown", "stale", "never"];

/** The worst of several; `unmeasured` for none. */
export function worstFreshness(all: readonly Freshness[]): Freshness {
  return all.reduce(
    (worst, one) => (badness.indexOf(one) > badness.indexOf(worst) ? one : worst),
    "unmeasured" as Freshness,
  );
}
