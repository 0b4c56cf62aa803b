import { describe, expect, it } from "vitest";
import { defaultLease } from "../../../src/config/resolve-lease.ts";
import type { LockLease } from "../../../src/config/resolved.ts";
import { parseLockRecord, type LockRecord } from "../../../src/lock/lock-record.ts";
import { defaultLockTimings } from "../../../src/lock/lock-timings.ts";
import type { FoundLock } from "../../../src/lock/lock-transport.ts";
import { createStaleWatch, type Verdict } from "../../../src/lock/stale-watch.ts";
import { lockContent } from "../../support/lock-fixture.ts";

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
  it("when it is older than its ttl and was watched unchanged for two minutes", () => {
    expect(firstStale(every10(0, 300, 5000))).toBe(120);
  });

  it("for three heartbeats where those are longer than two minutes", () => {
    expect(firstStale(every10(0, 600, 5000), { hb: 100 })).toBe(300);
  });

  it("not before its ttl is over, however long it is watched", () => {
    const looks = every10(0, 640, 0);
    const given = verdicts(looks);
    expect(staleAt(looks, given)).toBe(610);
    expect(given.at(-1)).toMatchObject({ olderThanSeconds: 600 });
  });

  it("when the clock of its host lies, after 110 % of its ttl by the own clock", () => {
    const looks = every10(0, 1000, -50_000, (look) => ({ ...look, age: -50_000 }));
    const given = verdicts(looks);
    expect(staleAt(looks, given)).toBe(660);
    expect(given.find(({ kind }) => kind === "stale")).toMatchObject({ olderThanSeconds: null });
  });

  it("also when its age is not told", () => {
    expect(firstStale(every10(0, 1000, 0, (look) => ({ ...look, age: Number.NaN })))).toBe(660);
  });

  it("a minute later when its writers hold no kernel lock", () => {
    expect(firstStale(every10(0, 1000, 0), { hold: false })).toBe(670);
  });

  it("not sooner than min_ttl, one minute, and not later than a day", () => {
    expect(firstStale(every10(0, 2000, 0), {}, { lease: { minTtlMs: 1_200_000 } })).toBe(1210);
    expect(firstStale(every10(0, 400, 0), { ttl: 5 }, { lease: { minTtlMs: 0 } })).toBe(120);
    expect(firstStale(every10(0, 400, 86_350), { ttl: 10_000_000 })).toBe(120);
    expect(firstStale(every10(0, 400, 86_000), { ttl: 10_000_000 })).toBe(undefined);
  });

  it("when the claimer died, after the ttl of a claim", () => {
    expect(firstStale(every10(0, 400, 0), { state: "claim", hb: 10, ttl: 120 })).toBe(130);
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
    const touched = every10(0, 300, 5000, (look) => ({ ...look, mtime: look.at < 100 ? 1000 : 1090 }));
    expect(firstStale(touched)).toBe(220);
    const another = every10(0, 300, 5000, (look) => ({
      ...look,
      token: look.at < 50 ? "dead-owner-token-0123456" : "next-owner-token-0123456",
    }));
    expect(firstStale(another)).toBe(170);
  });

  it("when there was a pause of more than 20 s between two looks", () => {
    const paused = every10(0, 300, 5000).filter(({ at }) => at <= 100 || at >= 130);
    expect(firstStale(paused)).toBe(250);
    const tolerated = every10(0, 300, 5000).filter(({ at }) => at % 20 === 0);
    expect(firstStale(tolerated)).toBe(120);
  });

  it("before the shortest time counts that it can have been unchanged", () => {
    // From the answer to the first look, 8 s after its question, to the question of the last.
    const slow = every10(0, 300, 5000, (look) => ({ ...look, took: 8 }));
    expect(firstStale(slow)).toBe(130);
  });
});

describe("how soon to look again", () => {
  const lookAgain = (looks: Look[], record?: Partial<LockRecord> | null, policy?: Parameters<typeof verdicts>[2]) => {
    const last = verdicts(looks, record, policy).at(-1);
    return last?.kind === "live" ? last.lookAgainMs : undefined;
  };

  it("is within the ttl as long as the lock gives signs of life", () => {
    expect(lookAgain([{ at: 0, age: 20 }])).toBe(600_000);
  });

  it("is 10 s when it missed two of them, by its host's clock or the own one", () => {
    expect(lookAgain([{ at: 0, age: 61 }])).toBe(10_000);
    const lying = [
      { at: 0, age: 0 },
      { at: 61, age: 0 },
    ];
    expect(lookAgain(lying)).toBe(10_000);
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

  it("is stale when it is older than foreign_stale_after and was watched for a quarter of an hour", () => {
    expect(firstStale(every10(0, 1200, 80_000), null, { foreignStaleAfter: 3600 })).toBe(900);
    expect(firstStale(every10(0, 1200, 0), null, { foreignStaleAfter: 600 })).toBe(610);
  });

  it("is not stale before", () => {
    expect(firstStale(every10(0, 3600, 0), null, { foreignStaleAfter: 3600 })).toBeUndefined();
  });
});
