import { describe, expect, it } from "vitest";
import { defaultLease } from "../../../../src/config/resolve-lease.ts";
import type { LockLease } from "../../../../src/config/resolved.ts";
import { parseLockRecord, type LockRecord } from "../../../../src/lock/lock-record.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import type { FoundLock } from "../../../../src/lock/transport/lock-transport.ts";
import { createStaleWatch, type Verdict } from "../../../../src/lock/lease/stale-watch.ts";
import { lockContent } from "../../../support/lock-fixture.ts";

/** Everything here is in seconds. */
interface Look {
  at: number;
  age: number;
  took?: number;
  mtime?: number;
  token?: string;
}

function found(look: Look, record: Partial<LockRecord> | null): FoundLock {
  const { age, mtime = 1000, token = "dead-owner-token-0123456" } = look;
  const second = lockContent({ token, hb: 30, ttl: 600, hold: true, ...record }).split("\n")[1] ?? "";
  const parsed = record === null ? null : (parseLockRecord(second) ?? null);
  return { owner: "777", record: parsed, ageSeconds: age, mtime };
}

function verdicts(
  looks: readonly Look[],
  record: Partial<LockRecord> | null = {},
  policy: { lease?: Partial<LockLease>; foreignStaleAfter?: number } = {},
): Verdict[] {
  const watch = createStaleWatch(defaultLockTimings);
  const lease = { ...defaultLease, ...policy.lease };
  const foreignStaleAfterMs = policy.foreignStaleAfter === undefined ? undefined : policy.foreignStaleAfter * 1000;
  return looks.map((look) => {
    const seen = { from: look.at * 1000, until: (look.at + (look.took ?? 0)) * 1000 };
    return watch.observe("key", found(look, record), seen, { lease, foreignStaleAfterMs });
  });
}

/** Looks every ten seconds; the age grows as it does when nobody touches the file. */
function every10(from: number, to: number, ageAtStart: number, change: (look: Look) => Look = (look) => look): Look[] {
  const count = Math.floor((to - from) / 10) + 1;
  return Array.from({ length: count }, (_, index) => change({ at: from + index * 10, age: ageAtStart + index * 10 }));
}

function staleAt(looks: readonly Look[], given: readonly Verdict[]): number | undefined {
  const index = given.findIndex(({ kind }) => kind === "stale");
  return looks[index]?.at;
}

function firstStale(looks: Look[], record?: Partial<LockRecord> | null, policy?: Parameters<typeof verdicts>[2]) {
  return staleAt(looks, verdicts(looks, record, policy));
}

describe("a lock of ours in format is stale", () => {
  it.each([5000, 0, -50_000, 1e12, Number.NaN])(
    "when it was watched unchanged for 110 %% of its ttl, however old its host calls it (%d s)",
    (age) => {
      expect(firstStale(every10(0, 1000, age))).toBe(660);
      expect(firstStale(every10(0, 1000, 0, (look) => ({ ...look, age })))).toBe(660);
    },
  );

  it("whatever its host's clock does meanwhile", () => {
    const forward = every10(0, 1000, 0, (look) => ({ ...look, age: look.at < 300 ? 0 : 1_000_000 }));
    expect(firstStale(forward)).toBe(660);
    const back = every10(0, 1000, 1_000_000, (look) => ({ ...look, age: look.at < 300 ? 1_000_000 : -1_000_000 }));
    expect(firstStale(back)).toBe(660);
  });

  it("for three heartbeats where those are longer", () => {
    expect(firstStale(every10(0, 1000, 5000), { hb: 300 })).toBe(900);
  });

  it("for a day at most, whatever the lock says of its heartbeats", () => {
    expect(firstStale(every10(0, 86_420, 5000), { hb: 1e9 })).toBe(86_400);
  });

  it("a minute later when its writers hold no kernel lock", () => {
    expect(firstStale(every10(0, 1000, 0), { hold: false })).toBe(720);
  });

  it("not sooner than min_ttl, one minute, and not later than a day", () => {
    expect(firstStale(every10(0, 2000, 0), {}, { lease: { minTtlMs: 1_200_000 } })).toBe(1320);
    expect(firstStale(every10(0, 400, 0), { ttl: 5, hb: 5 }, { lease: { minTtlMs: 0 } })).toBe(70);
    expect(firstStale(every10(0, 96_000, 0), { ttl: 10_000_000 })).toBe(95_040);
  });

  it("when the claimer died, after the ttl of a claim", () => {
    expect(firstStale(every10(0, 400, 0), { state: "claim", hb: 10, ttl: 120 })).toBe(140);
  });
});

describe("a lock is not stale", () => {
  it("when it has no lease, as versions before this one wrote it", () => {
    expect(firstStale(every10(0, 5000, 1_000_000), { ttl: 0, hb: 0 })).toBeUndefined();
  });

  it("when stale locks are not to be broken", () => {
    expect(firstStale(every10(0, 5000, 1_000_000), {}, { lease: { breakStale: false } })).toBeUndefined();
  });

  it("when it was touched, or is another one: the watch begins anew", () => {
    const touched = every10(0, 900, 5000, (look) => ({ ...look, mtime: look.at < 100 ? 1000 : 1090 }));
    expect(firstStale(touched)).toBe(760);
    const another = every10(0, 900, 5000, (look) => ({
      ...look,
      token: look.at < 50 ? "dead-owner-token-0123456" : "next-owner-token-0123456",
    }));
    expect(firstStale(another)).toBe(710);
  });

  it("when there was a pause between two looks, longer than a host without an answer makes it", () => {
    const paused = every10(0, 900, 5000).filter(({ at }) => at <= 100 || at >= 150);
    expect(firstStale(paused)).toBe(810);
    const tolerated = every10(0, 900, 5000).filter(({ at }) => at % 40 === 0);
    expect(firstStale(tolerated)).toBe(680);
  });

  it("before the shortest time counts that it can have been unchanged", () => {
    // From the answer to the first look, 8 s after its question, to the question of the last.
    const slow = every10(0, 900, 5000, (look) => ({ ...look, took: 8 }));
    expect(firstStale(slow)).toBe(670);
  });
});

describe("how soon to look again", () => {
  const lookAgain = (looks: Look[], record?: Partial<LockRecord> | null, policy?: Parameters<typeof verdicts>[2]) => {
    const last = verdicts(looks, record, policy).at(-1);
    return last?.kind === "live" ? last.lookAgainMs : undefined;
  };

  it("is ten seconds from the first look on: what was not watched does not count", () => {
    expect(lookAgain([{ at: 0, age: 20 }])).toBe(10_000);
    expect(lookAgain([{ at: 0, age: 5 }], { state: "claim", hb: 10, ttl: 120 })).toBe(10_000);
  });

  it("is up to the configuration when the lock is never stale", () => {
    expect(lookAgain([{ at: 0, age: 5000 }], { ttl: 0 })).toBe(Infinity);
    expect(lookAgain([{ at: 0, age: 5000 }], null)).toBe(Infinity);
  });
});

describe("a lock of another program", () => {
  it("is never stale unless told so", () => {
    expect(firstStale(every10(0, 5000, 10_000_000), null)).toBeUndefined();
  });

  it("is stale when its host finds it older than foreign_stale_after and it was watched for a quarter of an hour", () => {
    expect(firstStale(every10(0, 1200, 80_000), null, { foreignStaleAfter: 3600 })).toBe(900);
    expect(firstStale(every10(0, 1200, 0), null, { foreignStaleAfter: 600 })).toBe(610);
  });

  it("is stale when it was watched for 110 % of that, if its host's clock went back", () => {
    const lying = every10(0, 4200, 0, (look) => ({ ...look, age: -1000 }));
    expect(firstStale(lying, null, { foreignStaleAfter: 3600 })).toBe(3960);
  });

  it("is not stale before", () => {
    expect(firstStale(every10(0, 3600, 0), null, { foreignStaleAfter: 3600 })).toBeUndefined();
  });
});
