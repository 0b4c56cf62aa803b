import { expect, it } from "vitest";
import { defaultLease } from "../../../../src/config/resolve-lease.ts";
import { parseLockRecord } from "../../../../src/lock/lock-record.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { boundStale } from "../../../../src/lock/lease/stale-bound.ts";
import { createStaleWatch } from "../../../../src/lock/lease/stale-watch.ts";
import { lockContent } from "../../../support/lock-fixture.ts";

const policy = { lease: defaultLease, foreignStaleAfterMs: undefined };

function found(content: string, ageSeconds = 5) {
  const [owner = "", line = ""] = content.split("\n");
  return { owner, record: parseLockRecord(line) ?? null, ageSeconds, mtime: 1000 };
}

/** When a watch that looks every ten seconds takes it for stale. */
function watchedMs(lock: ReturnType<typeof found>, of: typeof policy | { foreignStaleAfterMs: number }): number {
  const watch = createStaleWatch(defaultLockTimings);
  for (let now = 0; now < 1e9; now += defaultLockTimings.stalePollMs) {
    const looked = { ...lock, ageSeconds: lock.ageSeconds + now / 1000 };
    const verdict = watch.observe("key", looked, { from: now, until: now }, { ...policy, ...of });
    if (verdict.kind === "stale") return now;
  }
  return Infinity;
}

it.each([
  ["a held lock", found(lockContent({ ttl: 600, hb: 30, hold: true })), policy],
  ["one without a hold lock", found(lockContent({ ttl: 600, hb: 30, hold: false })), policy],
  ["a claim", found(lockContent({ state: "claim", ttl: 120, hb: 10 })), policy],
  ["an old foreign lock that may be broken", found("4711\n", 1e6), { ...policy, foreignStaleAfterMs: 3_600_000 }],
  ["a young foreign lock that may be broken", found("4711\n", 60), { ...policy, foreignStaleAfterMs: 3_600_000 }],
])("says in advance by when the watch takes %s for stale", (_, lock, of) => {
  const bound = boundStale(lock, of, defaultLockTimings);
  const watched = watchedMs(lock, of);
  expect(bound.kind === "bounded" && bound.withinMs).toBeGreaterThanOrEqual(watched);
  expect(bound.kind === "bounded" && bound.withinMs).toBeLessThan(watched + 3 * defaultLockTimings.stalePollMs);
});

it.each([
  ["a foreign lock", found("4711\n"), policy, /foreign_stale_after/],
  ["a lock without a lease", found(lockContent({ ttl: 0, hb: 0 })), policy, /ttl 0/],
  [
    "any lock when the job breaks none",
    found(lockContent({ ttl: 600 })),
    { ...policy, lease: { ...defaultLease, breakStale: false } },
    /break_stale is false/,
  ],
])("says why %s is never broken", (_, lock, of, reason) => {
  const bound = boundStale(lock, of, defaultLockTimings);
  expect(bound.kind === "never" && bound.because).toMatch(reason);
  expect(watchedMs(found("4711\n"), policy)).toBe(Infinity);
});
