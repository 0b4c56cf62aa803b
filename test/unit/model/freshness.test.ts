import { describe, expect, it } from "vitest";
import { type FreshnessFacts, freshnessOf, worstFreshness } from "../../../src/model/freshness.ts";
import type { Freshness } from "../../../src/model/status.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const success = 1_000 * day;

const base: FreshnessFacts = {
  enabled: true,
  isPastKnown: true,
  lastSuccessAt: success,
  schedule: undefined,
  watch: undefined,
};
/** A schedule that comes due `due` after the success, and again after `gap`. */
const schedule = (due: number, gap: number) => ({ due: success + due, following: success + due + gap });
const watch =
  (pendingFor: number | null, maxDelayMs = 5_000) =>
  (now: number) => ({
    oldestPendingAt: pendingFor === null ? null : now - pendingFor,
    maxDelayMs,
  });

describe("freshness", () => {
  it.each<[what: string, facts: Partial<FreshnessFacts>, after: number, expected: Freshness]>([
    ["hourly, before it is due", { schedule: schedule(hour, hour) }, 59 * minute, "fresh"],
    ["hourly, due and within half an interval", { schedule: schedule(hour, hour) }, 90 * minute, "fresh"],
    ["hourly, past it", { schedule: schedule(hour, hour) }, 90 * minute + 1, "stale"],
    ["hourly, when the next time has come as well", { schedule: schedule(hour, hour) }, 125 * minute, "stale"],
    ["every minute, within ten minutes", { schedule: schedule(minute, minute) }, 11 * minute, "fresh"],
    ["every minute, past them", { schedule: schedule(minute, minute) }, 11 * minute + 1, "stale"],
    ["daily, half a day late", { schedule: schedule(day, day) }, 36 * hour, "fresh"],
    ["daily, more than half a day late", { schedule: schedule(day, day) }, 36 * hour + 1, "stale"],
    ["weekly, a day late", { schedule: schedule(7 * day, 7 * day) }, 8 * day, "fresh"],
    ["weekly, more than a day late", { schedule: schedule(7 * day, 7 * day) }, 8 * day + 1, "stale"],
    ["weekdays, over the weekend", { schedule: schedule(3 * day, day) }, 2 * day, "fresh"],
    ["weekdays, since Monday noon", { schedule: schedule(3 * day, day) }, 3 * day + 12 * hour + 1, "stale"],
    ["once more and never again", { schedule: { due: success + hour, following: null } }, 26 * hour, "stale"],
    ["never again", { schedule: { due: null, following: null } }, 400 * day, "fresh"],
    ["neither schedule nor watch", {}, 400 * day, "unmeasured"],
    ["disabled, and late", { enabled: false, schedule: schedule(hour, hour) }, 9 * hour, "unmeasured"],
    ["no success, scheduled", { lastSuccessAt: null, schedule: schedule(hour, hour) }, 0, "never"],
    ["no success, nothing measures it", { lastSuccessAt: null }, 0, "never"],
    ["no history and no success since", { lastSuccessAt: null, isPastKnown: false }, 0, "unknown"],
    ["no history, and a success since", { isPastKnown: false, schedule: schedule(hour, hour) }, minute, "fresh"],
  ])("%s", (_what, facts, after, expected) => {
    expect(freshnessOf({ ...base, ...facts }, success + after)).toBe(expected);
  });

  it.each<[what: string, watch: (now: number) => FreshnessFacts["watch"], expected: Freshness]>([
    ["watched, nothing pending", watch(null), "fresh"],
    ["watched, pending for a quarter of an hour", watch(15 * minute), "fresh"],
    ["watched, pending for longer", watch(15 * minute + 1), "stale"],
    ["watched with a long delay, pending for ten of them", watch(50 * minute, 5 * minute), "fresh"],
    ["watched with a long delay, pending for longer", watch(50 * minute + 1, 5 * minute), "stale"],
  ])("%s", (_what, watched, expected) => {
    const now = success + hour;
    expect(freshnessOf({ ...base, watch: watched(now) }, now)).toBe(expected);
  });

  it("is as bad as the worse of schedule and watch", () => {
    const now = success + 2 * hour;
    const late = schedule(hour, 10 * minute);
    expect(freshnessOf({ ...base, schedule: late, watch: watch(null)(now) }, now)).toBe("stale");
    const inTime = schedule(3 * hour, hour);
    expect(freshnessOf({ ...base, schedule: inTime, watch: watch(hour)(now) }, now)).toBe("stale");
    expect(freshnessOf({ ...base, schedule: inTime, watch: watch(null)(now) }, now)).toBe("fresh");
  });

  it("of several targets is the worst", () => {
    expect(worstFreshness([])).toBe("unmeasured");
    expect(worstFreshness(["fresh", "stale", "fresh"])).toBe("stale");
    expect(worstFreshness(["fresh", "unknown"])).toBe("unknown");
    expect(worstFreshness(["stale", "never"])).toBe("never");
  });
});
