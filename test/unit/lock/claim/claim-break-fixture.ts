import { defaultLease } from "../../../../src/config/resolve-lease.ts";
import type { Job, LockLease } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

export const seconds = (count: number): number => count * 1000;

/** Where the lock is that another one's job left behind. */
export const path = "/locks/theirs";
export const theirs = remoteLock("backup", path);

/** What that lock says. */
export const dead = { token: "dead-owner-token-0123456", hb: 30, ttl: 600, hold: true };

/** A job that is blocked by that lock. */
export const asBlock: Partial<Job> = { blocksOn: [blockOn(theirs, { waitTimeMs: seconds(60) })] };

export type BreakWorld = ReturnType<typeof createBreakWorld>;

/** This host, and the one where the lock was left. */
export function createBreakWorld() {
  const clock = new FakeClock();
  const backup = new MemoryLockHost("backup", clock);
  const local = new MemoryLockHost("local", clock);

  /** A director that claims the locks of one job, and how and after how many seconds it came out. */
  const start = (
    job: Partial<Job>,
    options: { lease?: Partial<LockLease>; isDead?: boolean; hosts?: readonly MemoryLockHost[] } = {},
  ) => {
    const owners = { isDead: () => Promise.resolve(options.isDead ?? false) };
    const director = createDirector({ hosts: options.hosts ?? [backup, local], clock, owners });
    const signal = new AbortController();
    const began = clock.monotonic();
    const state = { kind: "waiting", after: Number.NaN };
    const request = { job: buildJob({ lease: { ...defaultLease, ...options.lease }, ...job }), runId: "run" };
    const result = director.locks.claim({ ...request, signal: signal.signal }).then((settled) => {
      state.kind = settled.kind;
      state.after = (clock.monotonic() - began) / 1000;
      return settled;
    });
    return { ...director, state, result, signal };
  };
  /** Lets the time pass that may be needed: ttl, window, and a look. */
  const wait = (count: number) => clock.advance(seconds(count));
  return { clock, backup, local, start, wait };
}
