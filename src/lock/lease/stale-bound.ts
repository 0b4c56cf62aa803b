import type { LockLease } from "../../config/resolved.ts";
import type { LockTimings } from "../lock-timings.ts";
import type { FoundLock } from "../transport/lock-transport.ts";
import { foreignLifetime, ownLifetime } from "./stale-watch.ts";

/** When a lock that gives no sign of life any more will be broken by a job that waits for it. */
export type StaleBound =
  | { readonly kind: "never"; readonly because: string }
  /** `withinMs`: at the latest so long after the look, if a job watches it from then on. */
  | { readonly kind: "bounded"; readonly withinMs: number };

/** The same rules as the watch itself, told in advance. The policy is that of the job that waits. */
export function boundStale(
  found: Pick<FoundLock, "record" | "ageSeconds">,
  policy: { lease: LockLease; foreignStaleAfterMs: number | undefined },
  timings: LockTimings,
): StaleBound {
  const { record, ageSeconds } = found;
  const lifetime = record === null ? foreignLifetime(policy, timings) : ownLifetime(found, policy, timings);
  const { windowMs, byAge } = lifetime;
  if (windowMs === undefined) return { kind: "never", because: whyNever(found, policy) };
  const left = byAge === undefined ? Infinity : Math.max(byAge.ageMs - ageSeconds * 1000, byAge.windowMs);
  return { kind: "bounded", withinMs: Math.min(windowMs, left) + timings.stalePollMs };
}

function whyNever({ record }: Pick<FoundLock, "record">, { lease }: { lease: LockLease }): string {
  if (record === null) return "it is no lock of this program, and foreign_stale_after is not set for it";
  if (!lease.breakStale) return "break_stale is false for this job";
  return "its owner gave it no lease (ttl 0)";
}
