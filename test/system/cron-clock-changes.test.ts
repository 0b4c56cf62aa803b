import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCronTimes } from "../../src/trigger/cron-times.ts";
import { openTimeZone } from "../../src/trigger/time-zone.ts";
import { debianCronTimes, expressionMatches, isWildcard, wallMinutes } from "../support/debian-cron.ts";

const day = 86_400_000;

/** The UTC day of each clock change. */
const clockChanges: [zone: string, day: string][] = [
  ["Europe/Berlin", "2026-03-29"],
  ["Europe/Berlin", "2026-10-25"],
  ["Europe/Berlin", "2027-03-28"],
  ["Europe/Berlin", "2027-10-31"],
  ["Europe/London", "2026-03-29"],
  ["Europe/London", "2026-10-25"],
  ["America/New_York", "2026-03-08"],
  ["America/New_York", "2026-11-01"],
  ["America/St_Johns", "2026-03-08"],
  ["America/St_Johns", "2026-11-01"],
  ["Australia/Lord_Howe", "2026-04-04"],
  ["Australia/Lord_Howe", "2026-10-03"],
  ["America/Sao_Paulo", "2018-11-04"],
  ["America/Sao_Paulo", "2019-02-17"],
  ["Asia/Tehran", "2022-03-21"],
  ["Asia/Tehran", "2022-09-21"],
  ["Africa/Casablanca", "2026-02-15"],
  ["Africa/Casablanca", "2026-03-22"],
  ["Africa/Cairo", "2026-04-23"],
  ["Africa/Cairo", "2026-10-29"],
  ["Pacific/Apia", "2011-09-24"],
  ["Pacific/Apia", "2011-12-30"],
  ["Pacific/Apia", "2012-03-31"],
  ["Pacific/Chatham", "2026-09-26"],
];

const expressions = [
  "30 2 * * *",
  "0 0 * * *",
  "30 0 * * *",
  "15 1,2,3 * * *",
  "0 2-4 * * *",
  "0,15,30,45 0-3 * * *",
  "0-59/20 2 * * *",
  "45 1 * * *",
  "0 3 * * *",
  "59 23 * * *",
  "* * * * *",
  "*/30 * * * *",
  "0 * * * *",
  "7 */2 * * *",
  "*/10 2 * * *",
  "*/25 0,1 * * *",
  "30 2 * * 0",
  "15 2 1-7 * 0",
  "0 3 */2 * 1",
  "30 1 29 3,10 */2",
];

function timesBetween(expression: string, zone: string, from: number, to: number): number[] {
  const times: number[] = [];
  for (const { at } of parseCronTimes(expression, { zone: openTimeZone(zone), dialect: "linux" }).from(from)) {
    if (at >= to) break;
    times.push(at);
  }
  return times;
}

const iso = (times: readonly number[]) => times.map((at) => new Date(at).toISOString());

describe("where clocks change", () => {
  test.each(clockChanges)("%s, %s: every expression runs when Debian's cron would run it", (zone, date) => {
    const middle = Date.parse(`${date}T00:00:00Z`);
    const minutes = wallMinutes(zone, middle - 2 * day, middle + 3 * day);
    const jumps = minutes.filter(({ wall }, index) => index > 0 && wall - (minutes[index - 1]?.wall ?? 0) !== 1);
    expect(jumps, "the day is one of a clock change").toHaveLength(1);
    for (const expression of expressions) {
      const actual = timesBetween(expression, zone, middle - 2 * day, middle + 3 * day);
      expect(iso(actual), expression).toEqual(iso(debianCronTimes(expression, minutes)));
    }
  });

  test.each(["UTC", "Asia/Kolkata", "Asia/Kathmandu"])("%s has none, and the expressions just run", (zone) => {
    const from = Date.parse("2026-03-27T00:00:00Z");
    const minutes = wallMinutes(zone, from, from + 4 * day);
    for (const expression of expressions) {
      const actual = timesBetween(expression, zone, from, from + 4 * day);
      expect(iso(actual), expression).toEqual(iso(debianCronTimes(expression, minutes)));
    }
  });
});

describe("any expression, in any zone, after any moment", () => {
  const value = (low: number, high: number) => fc.integer({ min: low, max: high });
  const field = (low: number, high: number) =>
    fc.oneof(
      fc.constant("*"),
      value(2, Math.min(20, high)).map((step) => `*/${step}`),
      fc.uniqueArray(value(low, high), { minLength: 1, maxLength: 3 }).map((list) => list.join(",")),
      fc.tuple(value(low, high), value(low, high)).map((pair) => pair.toSorted((a, b) => a - b).join("-")),
      fc
        .tuple(value(low, high), value(low, high), value(1, 7))
        .map(([a, b, n]) => `${Math.min(a, b)}-${Math.max(a, b)}/${n}`),
    );
  const anyDay = { weight: 3, arbitrary: fc.constant("*") };
  const expression = fc
    .tuple(
      field(0, 59),
      fc.oneof(field(0, 23), field(0, 4)),
      fc.oneof(anyDay, { weight: 1, arbitrary: field(1, 28) }),
      fc.constant("*"),
      fc.oneof(anyDay, { weight: 1, arbitrary: field(0, 7) }),
    )
    .map((fields) => fields.join(" "));
  const moment = fc
    .tuple(fc.constantFrom(...clockChanges), fc.integer({ min: -day, max: 2 * day }))
    .map(([[zone, date], shift]) => ({ zone, after: Date.parse(`${date}T00:00:00Z`) + shift }));

  test("the next times come later and later, none twice, each on a time the expression names or right after a gap", () => {
    fc.assert(
      fc.property(expression, moment, (text, { zone, after }) => {
        const times = parseCronTimes(text, { zone: openTimeZone(zone), dialect: "linux" }).from(after);
        const labels = new Set<string>();
        let last = after;
        for (let count = 0; count < 20; count += 1) {
          const next = times.next().value;
          if (next === undefined) return;
          expect(next.at).toBeGreaterThan(last);
          expect(next.localLabel === null).toBe(isWildcard(text));
          if (next.localLabel !== null) expect(labels.has(next.localLabel)).toBe(false);
          labels.add(next.localLabel ?? "");
          const [before, here] = wallMinutes(zone, next.at - 60_000, next.at + 60_000);
          const named = expressionMatches(text, here?.wall ?? 0);
          const afterGap = (here?.wall ?? 0) - (before?.wall ?? 0) > 1;
          expect(named || (afterGap && !isWildcard(text)), `${text} at ${new Date(next.at).toISOString()}`).toBe(true);
          last = next.at;
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  test("the first one is the one Debian's cron would take", () => {
    fc.assert(
      fc.property(expression, moment, (text, { zone, after }) => {
        const start = Math.floor(after / 60_000) * 60_000;
        // A day more before, so that the oracle knows of a change that has just been.
        const minutes = wallMinutes(zone, start - day, start + 1.5 * day);
        const expected = debianCronTimes(text, minutes).find((at) => at > after);
        const [actual] = timesBetween(text, zone, after, start + 1.5 * day);
        expect(actual).toBe(expected);
      }),
      { numRuns: 80 },
    );
  }, 60_000);
});
