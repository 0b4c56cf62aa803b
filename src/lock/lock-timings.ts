/** Every duration of the lock protocol, in milliseconds; tests shrink them. */
export interface LockTimings {
  /** One operation on one host, from its turn to its answer. */
  readonly operationMs: number;
  /** Giving one host's locks back, tries included. */
  readonly releaseDeadlineMs: number;
  readonly releaseRetryMs: number;
  /** Back-off after own locks were withdrawn: full jitter up to min(max, base · 2^attempts). */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** How long, and how often, to look whether a claim of lower standing gives way. */
  readonly yieldWaitMs: number;
  readonly yieldPollMs: number;
  /** What a look that begins at the deadline of a block may still take. */
  readonly lastLookMs: number;
  /** Locks that could not be given back are tried again so often, for so long. */
  readonly reapEveryMs: number;
  readonly reapForMs: number;
}

export const defaultLockTimings: LockTimings = {
  operationMs: 20_000,
  releaseDeadlineMs: 20_000,
  releaseRetryMs: 1000,
  backoffBaseMs: 2000,
  backoffMaxMs: 60_000,
  yieldWaitMs: 10_000,
  yieldPollMs: 1000,
  lastLookMs: 3000,
  reapEveryMs: 60_000,
  reapForMs: 86_400_000,
};

/** Anything between nothing and the whole bound, so that two that met do not meet again (full jitter). */
export function backoffDelay(attempts: number, timings: LockTimings, random: () => number): number {
  return random() * Math.min(timings.backoffMaxMs, timings.backoffBaseMs * 2 ** Math.min(attempts, 30));
}

/** The wait between two looks, give or take 20 %, so that many directors do not look in step. */
export function waitDelay(waitTimeMs: number, random: () => number): number {
  return waitTimeMs * (0.8 + 0.4 * random());
}
