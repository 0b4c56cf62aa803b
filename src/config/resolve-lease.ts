import { parseDuration } from "../base/duration.ts";
import type { LockLease } from "./resolved.ts";
import type { RawLease, RawLock } from "./schema-lock.ts";

/** Longest time for one lock operation unless the configuration says otherwise. */
const defaultOperationTimeoutMs = 20_000;

/** What a lock's life is like when nothing is configured. */
export const defaultLease: LockLease = {
  heartbeatMs: 30_000,
  ttlMs: 600_000,
  renewDeadlineMs: 480_000,
  claimTtlMs: 120_000,
  minTtlMs: 60_000,
  settleMs: 15_000,
  breakStale: true,
  onUnreachable: "abort",
};

/** Later blocks are laid over earlier ones key by key; durations that make no sense count as not given. */
export function resolveLease(...blocks: readonly (RawLease | undefined)[]): LockLease {
  const raw: RawLease = Object.assign({}, ...blocks);
  const ttlMs = milliseconds(raw.ttl) ?? defaultLease.ttlMs;
  const { renewDeadlineMs, ttlMs: usualTtlMs } = defaultLease;
  return {
    heartbeatMs: milliseconds(raw.heartbeat) ?? defaultLease.heartbeatMs,
    ttlMs,
    renewDeadlineMs: milliseconds(raw.renew_deadline) ?? Math.floor((ttlMs * renewDeadlineMs) / usualTtlMs),
    claimTtlMs: milliseconds(raw.claim_ttl) ?? defaultLease.claimTtlMs,
    minTtlMs: milliseconds(raw.min_ttl) ?? defaultLease.minTtlMs,
    settleMs: milliseconds(raw.settle) ?? defaultLease.settleMs,
    breakStale: raw.break_stale ?? defaultLease.breakStale,
    onUnreachable: raw.on_unreachable ?? defaultLease.onUnreachable,
  };
}

export function resolveOperationTimeout(lock: RawLock | undefined): number {
  return milliseconds(lock?.operation_timeout) ?? defaultOperationTimeoutMs;
}

function milliseconds(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(value);
}
