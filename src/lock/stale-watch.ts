import type { LockLease } from "../config/resolved.ts";
import type { LockTimings } from "./lock-timings.ts";
import type { FoundLock } from "./lock-transport.ts";
import type { LookTime } from "./look.ts";

/**
 * What to think of a lock that is in the way. `live`: look again after at most `lookAgainMs`. `stale`: it
 * was seen unchanged for `observedMs`; it may be broken if its host finds it older than
 * `olderThanSeconds` (null: whatever its host's clock says).
 */
export type Verdict =
  | { readonly kind: "live"; readonly lookAgainMs: number }
  | {
      readonly kind: "stale";
      readonly olderThanSeconds: number | null;
      readonly observedMs: number;
      readonly because: string;
    };

/** What a director has seen of locks, to tell dead owners from silent clocks (§2.7). */
export interface StaleWatch {
  observe(
    key: string,
    found: FoundLock,
    seen: LookTime,
    policy: { lease: LockLease; foreignStaleAfterMs: number | undefined },
  ): Verdict;
}

interface Observation {
  /** Token and time of the file: what must not change. */
  readonly identity: string;
  /** When it was first seen so, pauses or not. */
  readonly firstSeen: number;
  /** Since when it was looked at without too long a pause. */
  readonly since: number;
  readonly lastSeen: number;
}

/**
 * Nobody's clock is trusted alone: a lock is stale when it did not change while THIS director watched it,
 * by its own monotonic clock. The clock of the lock's host only shortens the watch. An observation begins
 * with the answer to its first look and ends with the question of its last, the shortest it can have been.
 */
export function createStaleWatch(timings: LockTimings): StaleWatch {
  const observations = new Map<string, Observation>();

  const note = (key: string, found: FoundLock, { until }: LookTime): Observation => {
    const identity = JSON.stringify([found.record?.token ?? null, found.owner, found.mtime]);
    const before = observations.get(key);
    const same = before?.identity === identity;
    const unbroken = same && until - before.lastSeen <= timings.staleGapMs;
    const observation = {
      identity,
      firstSeen: same ? before.firstSeen : until,
      since: unbroken ? before.since : until,
      lastSeen: until,
    };
    for (const [other, { lastSeen }] of observations) {
      if (until - lastSeen > timings.longestTtlMs) observations.delete(other);
    }
    observations.set(key, observation);
    return observation;
  };

  return {
    observe: (key, found, seen, policy) => {
      const { since, firstSeen } = note(key, found, seen);
      const observed = { observedMs: seen.from - since, knownMs: seen.from - firstSeen };
      const lifetime = found.record === null ? foreignLifetime(policy, timings) : ownLifetime(found, policy, timings);
      return judge(found.ageSeconds * 1000, observed, lifetime, timings);
    },
  };
}

/** `undefined` times never come. */
interface Lifetime {
  readonly ttlMs: number | undefined;
  /** Watched for so long, and older than `ttlMs` by its host's clock. */
  readonly windowMs: number;
  /** Watched for so long, whatever its host's clock says. */
  readonly ownClockMs: number | undefined;
  /** A live lock changes at least so often; undefined: it does not. */
  readonly heartbeatMs: number | undefined;
}

function ownLifetime({ record }: FoundLock, { lease }: { lease: LockLease }, timings: LockTimings): Lifetime {
  const { ttl = 0, hb = 0, hold = false } = record ?? {};
  const never = { ttlMs: undefined, windowMs: 0, ownClockMs: undefined, heartbeatMs: undefined };
  // A lock without a lease, as versions before this one wrote it.
  if (ttl === 0 || !lease.breakStale) return never;
  const wanted = Math.max(ttl * 1000, lease.minTtlMs, timings.shortestTtlMs);
  const delayMs = hold ? 0 : timings.breakDelayMs;
  const ttlMs = Math.min(wanted, timings.longestTtlMs) + delayMs;
  const heartbeatMs = hb * 1000;
  const windowMs = Math.max(3 * heartbeatMs, timings.staleWindowMs);
  return { ttlMs, windowMs, ownClockMs: Math.max(ttlMs * 1.1, windowMs), heartbeatMs };
}

function foreignLifetime(
  { foreignStaleAfterMs }: { foreignStaleAfterMs: number | undefined },
  timings: LockTimings,
): Lifetime {
  const windowMs = Math.max(timings.staleWindowMs, Math.min(foreignStaleAfterMs ?? 0, timings.foreignWindowMs));
  return { ttlMs: foreignStaleAfterMs, windowMs, ownClockMs: undefined, heartbeatMs: undefined };
}

function judge(
  ageMs: number,
  { observedMs, knownMs }: { observedMs: number; knownMs: number },
  { ttlMs, windowMs, ownClockMs = Infinity, heartbeatMs }: Lifetime,
  timings: LockTimings,
): Verdict {
  if (ttlMs === undefined) return { kind: "live", lookAgainMs: Infinity };
  if (ageMs > ttlMs && observedMs >= windowMs) {
    const because = "it gave no sign of life for longer than its ttl";
    return { kind: "stale", olderThanSeconds: Math.floor(ttlMs / 1000), observedMs, because };
  }
  if (observedMs >= ownClockMs) {
    const because = "it gave no sign of life for longer than its ttl by the clock of this host";
    return { kind: "stale", olderThanSeconds: null, observedMs, because };
  }
  // A lock that missed two signs of life is watched closely; a foreign one gives none.
  const silentMs = heartbeatMs === undefined ? ttlMs - windowMs : 2 * heartbeatMs;
  const close = ageMs > silentMs || (heartbeatMs !== undefined && knownMs > silentMs);
  return { kind: "live", lookAgainMs: close ? timings.stalePollMs : ttlMs };
}
