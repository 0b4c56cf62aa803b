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
  /** How long, beyond `settle`, and how often to look whether a claim of lower standing gives way. */
  readonly yieldWaitMs: number;
  readonly yieldPollMs: number;
  /** What a look that begins at the deadline of a block may still take. */
  readonly lastLookMs: number;
  /** Locks that could not be given back are tried again so often, for so long. */
  readonly reapEveryMs: number;
  readonly reapForMs: number;
  /** Signs of life of a lock that is only claimed. */
  readonly claimHeartbeatMs: number;
  /** How often all leases are looked at; a suspended machine is noticed so late at most. */
  readonly leaseTickMs: number;
  /** Wait after a sign of life that failed. */
  readonly beatRetryMs: number;
  /** After a suspend: so long the answer that a lock is still ours may take. */
  readonly verifyMs: number;
  /** For at least so long a lock of another program, or that of an earlier life, is watched for a change. */
  readonly staleWindowMs: number;
  /** How often a lock is looked at that may be stale one day. */
  readonly stalePollMs: number;
  /** A longer pause between two looks begins the observation anew. */
  readonly staleGapMs: number;
  /** Whatever a lock says of itself, it lives at least and at most so long. */
  readonly shortestTtlMs: number;
  readonly longestTtlMs: number;
  /** Added to the life of a lock whose writers hold no kernel lock. */
  readonly breakDelayMs: number;
  /** A lock of another program is observed for at most so long before it is moved aside. */
  readonly foreignWindowMs: number;
  /** So long a job waits for the last writer at its destination before it is reported. */
  readonly writersMs: number;
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
  claimHeartbeatMs: 10_000,
  leaseTickMs: 1000,
  beatRetryMs: 5000,
  verifyMs: 5000,
  staleWindowMs: 120_000,
  stalePollMs: 10_000,
  staleGapMs: 40_000,
  shortestTtlMs: 60_000,
  longestTtlMs: 86_400_000,
  breakDelayMs: 60_000,
  foreignWindowMs: 900_000,
  writersMs: 60_000,
};

/** Anything between nothing and the whole bound, so that two that met do not meet again (full jitter). */
export function backoffDelay(attempts: number, timings: LockTimings, random: () => number): number {
  return random() * Math.min(timings.backoffMaxMs, timings.backoffBaseMs * 2 ** Math.min(attempts, 30));
}

/** The wait between two looks, give or take 20 %, so that many directors do not look in step. */
export function waitDelay(waitTimeMs: number, random: () => number): number {
  return waitTimeMs * (0.8 + 0.4 * random());
}
