import type { LockLease } from "../../config/resolved.ts";
import type { LockTimings } from "../lock-timings.ts";
import type { FoundLock } from "../transport/lock-transport.ts";
import type { LookTime } from "../look.ts";

/** What to think of a lock that is in the way. `live`: look again after at most `lookAgainMs`. */
export type Verdict =
  | { readonly kind: "live"; readonly lookAgainMs: number }
  | { readonly kind: "stale"; readonly observedMs: number; readonly because: string };

/** What a director has seen of locks, to tell dead owners from silent clocks. */
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
  /** Since when it was looked at without too long a pause. */
  readonly since: number;
  readonly lastSeen: number;
}

/**
 * No other host's clock is trusted: a lock is stale when it did not change while THIS director watched it, for
 * the whole window by its own clock, which counts suspend. The times of a lock file are compared for equality
 * only. An observation begins with the answer to its first look and ends with the question of its last, the
 * shortest it can have been.
 */
export function createStaleWatch(timings: LockTimings): StaleWatch {
  const observations = new Map<string, Observation>();
  // A host that does not answer holds up the looks at all others: until it is given up, and to the next look.
  const longestGapMs = Math.max(timings.staleGapMs, timings.operationMs + 2 * timings.stalePollMs);

  const note = (key: string, found: FoundLock, { until }: LookTime): Observation => {
    const identity = JSON.stringify([found.record?.token ?? null, found.owner, found.mtime]);
    const before = observations.get(key);
    const same = before?.identity === identity;
    const unbroken = same && until - before.lastSeen <= longestGapMs;
    const observation = { identity, since: unbroken ? before.since : until, lastSeen: until };
    for (const [other, { lastSeen }] of observations) {
      if (until - lastSeen > longestGapMs) observations.delete(other);
    }
    observations.set(key, observation);
    return observation;
  };

  return {
    observe: (key, found, seen, policy) => {
      const { since } = note(key, found, seen);
      const observedMs = seen.from - since;
      const lifetime = found.record === null ? foreignLifetime(policy, timings) : ownLifetime(found, policy, timings);
      return judge(found.ageSeconds * 1000, observedMs, lifetime, timings);
    },
  };
}

/** `undefined` times never come. */
export interface Lifetime {
  /** Watched unchanged for so long, whatever its host's clock says. */
  readonly windowMs: number | undefined;
  /** Of a foreign lock: watched for `windowMs`, and older than `ageMs` by its host's clock. */
  readonly byAge: { readonly ageMs: number; readonly windowMs: number } | undefined;
}

const never: Lifetime = { windowMs: undefined, byAge: undefined };
/** A tenth more than that: two clocks may run at rates that differ by 1 %. */
const withDrift = (ms: number) => (ms * 11) / 10;

export function ownLifetime(
  { record }: Pick<FoundLock, "record">,
  { lease }: { lease: LockLease },
  timings: LockTimings,
): Lifetime {
  const { ttl = 0, hb = 0, hold = false, unfenced = false } = record ?? {};
  // A lock without a lease: nobody may break it, such as one whose owner can only use sftp.
  if (ttl === 0 || !lease.breakStale) return never;
  const wanted = Math.max(ttl * 1000, lease.minTtlMs, timings.shortestTtlMs);
  const ttlMs = Math.min(wanted, timings.longestTtlMs);
  const delayMs = hold && !unfenced ? 0 : timings.breakDelayMs;
  const beatsMs = Math.min(3 * hb * 1000, timings.longestTtlMs);
  return { windowMs: Math.max(withDrift(ttlMs), beatsMs) + delayMs, byAge: undefined };
}

/**
 * A foreign lock gives no signs of life that a watch could miss: all there is is its age, which only its host
 * can tell. The operator has asked for that; the watch keeps a clock that jumps from doing it in a moment.
 */
export function foreignLifetime(
  { foreignStaleAfterMs }: { foreignStaleAfterMs: number | undefined },
  timings: LockTimings,
): Lifetime {
  if (foreignStaleAfterMs === undefined) return never;
  const windowMs = Math.max(timings.staleWindowMs, Math.min(foreignStaleAfterMs, timings.foreignWindowMs));
  return {
    windowMs: Math.max(withDrift(foreignStaleAfterMs), windowMs),
    byAge: { ageMs: foreignStaleAfterMs, windowMs },
  };
}

function judge(ageMs: number, observedMs: number, { windowMs, byAge }: Lifetime, timings: LockTimings): Verdict {
  if (windowMs === undefined) return { kind: "live", lookAgainMs: Infinity };
  if (observedMs >= windowMs) {
    const because = "it gave no sign of life for longer than its ttl, by the clock of this host";
    return { kind: "stale", observedMs, because: byAge === undefined ? because : "nobody touched it" };
  }
  if (byAge !== undefined && ageMs > byAge.ageMs && observedMs >= byAge.windowMs) {
    return { kind: "stale", observedMs, because: "it is older than foreign_stale_after, by the clock of its host" };
  }
  // From the first look on: what was not watched does not count.
  return { kind: "live", lookAgainMs: timings.stalePollMs };
}
