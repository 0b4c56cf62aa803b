import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entriesAtTarget, hasLimits, judgeDeletions, mostDeletions } from "../../../src/action/guard-limits.ts";
import type { Guard } from "../../../src/config/resolved.ts";
import { addStats } from "../../../src/rsync/stats.ts";

const guard = (limits: Partial<Guard>): Guard => ({
  requirePaths: [],
  nonEmpty: true,
  maxDelete: undefined,
  maxDeletePercent: undefined,
  ...limits,
});
const found = (count: number, targetEntries: number | null = null) => ({ count, targetEntries, first: ["a", "dir/"] });

describe("the limits of a guard", () => {
  it("are there or not, also at zero", () => {
    expect([guard({}), guard({ maxDelete: 0 }), guard({ maxDeletePercent: 0 })].map(hasLimits)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("name the numbers, a few paths and what to do", () => {
    expect(judgeDeletions(guard({ maxDelete: 2 }), found(3))).toBe(
      'guard: the sync would delete 3 entries, more than max_delete: 2: "a", "dir/", …; nothing was copied or deleted; ' +
        "if it is right, raise the limit, and rsyncdirector run the job once",
    );
    expect(judgeDeletions(guard({ maxDeletePercent: 10 }), found(2, 19))).toMatch(
      /^guard: the sync would delete 2 of 19 entries \(10 %\), more than max_delete_percent: 10: "a", "dir\/"; nothing/,
    );
  });

  it("allow exactly as much as they say", () => {
    expect(judgeDeletions(guard({ maxDelete: 3, maxDeletePercent: 10 }), found(3, 30))).toBeUndefined();
    expect(judgeDeletions(guard({ maxDelete: 0, maxDeletePercent: 0 }), found(0, 30))).toBeUndefined();
    expect(judgeDeletions(guard({ maxDelete: 0 }), found(1))).toMatch(/more than max_delete: 0/);
  });

  it("are told to rsync as a number, and never as less than what was found to be right", () => {
    expect(mostDeletions(guard({ maxDelete: 3 }), found(2, 100))).toBe(3);
    expect(mostDeletions(guard({ maxDeletePercent: 10 }), found(2, 59))).toBe(5);
    expect(mostDeletions(guard({ maxDelete: 3, maxDeletePercent: 10 }), found(2, 59))).toBe(3);
    expect(mostDeletions(guard({ maxDeletePercent: 10 }), found(0))).toBe(0);
    expect(mostDeletions(guard({ maxDeletePercent: 29 }), found(29, 100))).toBe(29);
  });

  it("do not allow a share of nobody knows how many", () => {
    expect(judgeDeletions(guard({ maxDeletePercent: 100 }), found(1))).toMatch(/does not say of how many/);
  });

  it("count what the target has: what the source has in common with it, and what would go", () => {
    const stats = addStats([{ ...empty, filesTotal: 10, filesCreated: 4 }]);
    expect(entriesAtTarget(stats, 5)).toBe(11);
    expect([entriesAtTarget(null, 5), entriesAtTarget(empty, 5)]).toEqual([null, null]);
  });

  it("refuse exactly when the share is larger, whatever the numbers", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.nat(100), (kept, count, percent) => {
        const refused = judgeDeletions(guard({ maxDeletePercent: percent }), found(count, kept + count)) !== undefined;
        expect(refused).toBe(count * 100 > percent * (kept + count));
      }),
    );
  });
});

const empty = {
  ...{ filesTotal: null, filesCreated: null, filesDeleted: null, filesTransferred: null, totalBytes: null },
  ...{ transferredBytes: null, literalBytes: null, matchedBytes: null, sentBytes: null, receivedBytes: null },
};

describe("statistics of several calls", () => {
  it("are added up, and what one of them does not tell is not known", () => {
    const one = { ...empty, filesTotal: 1, filesDeleted: 2, sentBytes: 3 };
    expect(addStats([one, null, { ...one, sentBytes: null }])).toEqual({ ...empty, filesTotal: 2, filesDeleted: 4 });
    expect([addStats([]), addStats([null])]).toEqual([null, null]);
  });
});
