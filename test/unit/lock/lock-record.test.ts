import { describe, expect, it } from "vitest";
import { startTime } from "../../../src/lock/lock-owner.ts";
import { formatLockPair, type LockRecord, makeRank, parseLockRecord } from "../../../src/lock/lock-record.ts";
import { backoffDelay, defaultLockTimings, waitDelay } from "../../../src/lock/lock-timings.ts";
import { lockContent } from "../../support/lock-fixture.ts";

const second = lockContent({ token: "my-own-token-0123456789" }).split("\n")[1] as string;
const changed = (change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(second), ...change });

const fence = { host: "backup01", path: `/locks/${"0".repeat(32)}.hold` };

describe("the content of a lock file", () => {
  it("is the process id, a line of JSON, and nothing else", () => {
    expect(lockContent()).toMatch(/^777\n\{"v":1,"token":"[^\n]+\}\n$/);
  });

  it("is read back as it was written, with fields of later versions ignored", () => {
    expect(parseLockRecord(second)).toMatchObject({ v: 1, token: "my-own-token-0123456789", state: "held" });
    expect(parseLockRecord(changed({ later: true }))).toMatchObject({ v: 1 });
  });

  it("has the hold files of several hosts in one list, which an earlier version takes for a foreign lock", () => {
    const several = { ...fence, others: [{ ...fence, host: "backup02" }] };
    const line = lockContent({ fence: several, unfenced: true }).split("\n")[1] ?? "";
    expect(JSON.parse(line)).toMatchObject({ fence: [fence, { ...fence, host: "backup02" }], unfenced: true });
    expect(parseLockRecord(line)).toMatchObject({ fence: several, unfenced: true });
  });

  it.each([
    ["nothing", ""],
    ["a number", "1234"],
    ["null", "null"],
    ["a list", "[]"],
    ["half an object", second.slice(0, 40)],
    ["a later version", changed({ v: 2 })],
    ["a token that is too short to be random", changed({ token: "abc" })],
    ["an unknown state", changed({ state: "maybe" })],
    ["no owner", changed({ owner: null })],
    ["an owner without a process id", changed({ owner: { name: "x" } })],
    ["a negative time to live", changed({ ttl: -1 })],
    ["a hold file that has not the name of one", changed({ fence: { host: null, path: "/etc/shadow" } })],
    [
      "a list of hold files of which one has not the name of one",
      changed({ fence: [fence, { ...fence, path: "/x" }] }),
    ],
    ["a list of one hold file", changed({ fence: [fence] })],
    ["hold files beside another", changed({ fence: { ...fence, others: [{ host: null, path: "/etc/shadow" }] } })],
    ["hold files beside one of a list", changed({ fence: [fence, { ...fence, others: [] }] })],
    [
      "a hold file whose name has a second line",
      changed({ fence: { host: null, path: `/a\n/${"0".repeat(32)}.hold` } }),
    ],
  ])("is foreign when the second line is %s", (_, line) => {
    expect(parseLockRecord(line)).toBeUndefined();
  });
});

describe("the pair of contents of a claim", () => {
  const record = (changes: Partial<LockRecord>): LockRecord => ({
    ...(parseLockRecord(second) as LockRecord),
    job: '","state":"claim","ttl":1,"',
    ...changes,
  });
  const { claim, held } = formatLockPair(
    record({ state: "claim", hb: 10, ttl: 120 }),
    record({ state: "held", hb: 5, ttl: 86_400 }),
  );
  const lineOf = (content: string) => content.split("\n")[1] ?? "";

  it("says what it should", () => {
    expect(parseLockRecord(lineOf(claim))).toEqual(record({ state: "claim", hb: 10, ttl: 120 }));
    expect(parseLockRecord(lineOf(held))).toEqual(record({ state: "held", hb: 5, ttl: 86_400 }));
  });

  it("differs in three places only, so that a mixture carries the token, and its job", () => {
    expect(claim.length).toBe(held.length);
    for (let seam = 0; seam <= claim.length; seam += 1) {
      const mixture = lineOf(held.slice(0, seam) + claim.slice(seam));
      expect(mixture).toContain('"token":"my-own-token-0123456789"');
      const read = parseLockRecord(mixture);
      if (read === undefined) continue;
      expect({ ...read, state: "held", hb: 5, ttl: 86_400 }).toEqual(parseLockRecord(lineOf(held)));
    }
  });
});

describe("ranks", () => {
  it("put the most often defeated first, and then the token", () => {
    const ranks = [makeRank(0, "b"), makeRank(3, "z"), makeRank(0, "a"), makeRank(15, "q"), makeRank(40, "p")];
    expect(ranks.toSorted()).toEqual(["fff0p", "fff0q", "fffcz", "ffffa", "ffffb"]);
  });
});

describe("pauses", () => {
  it("double from two seconds to a minute, with full jitter", () => {
    const longest = [0, 1, 2, 3, 4, 5, 50, 5000].map((attempts) => backoffDelay(attempts, defaultLockTimings, () => 1));
    expect(longest).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(backoffDelay(5, defaultLockTimings, () => 0)).toBe(0);
  });

  it("between two looks stay within 20 % of the wait time", () => {
    expect([0, 0.5, 1].map((random) => Math.round(waitDelay(10_000, () => random)))).toEqual([8000, 10_000, 12_000]);
  });
});

describe("the start time of a process", () => {
  it("is found behind a name with blanks and parentheses", () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3)).join(" ");
    expect(startTime(`123 (a) b (c) ${fields}`)).toBe(22);
  });
});
