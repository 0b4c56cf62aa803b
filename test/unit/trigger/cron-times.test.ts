import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { type CronTimes, parseCronTimes } from "../../../src/trigger/cron-times.ts";
import { openTimeZone } from "../../../src/trigger/time-zone.ts";

type Dialect = "linux" | "apscheduler";

function days(expression: string, options: { dialect?: Dialect; zone?: string; from?: string; count?: number } = {}) {
  const { dialect = "linux", zone = "UTC", from = "2026-11-20T12:00:00Z", count = 4 } = options;
  const times = parseCronTimes(expression, { zone: openTimeZone(zone), dialect }).from(Date.parse(from));
  const found: string[] = [];
  for (const { at } of times) {
    found.push(new Date(at).toISOString().slice(0, 16));
    if (found.length === count) break;
  }
  return found;
}

describe("day fields", () => {
  // 20 November 2026 is a Friday.
  test.each([
    ["both given: either is enough", "0 0 13 * 5", ["2026-11-27", "2026-12-04", "2026-12-11", "2026-12-13"]],
    [
      "a step in the day of month: both must match",
      "0 0 */2 * 1",
      ["2026-11-23", "2026-12-07", "2026-12-21", "2027-01-11"],
    ],
    [
      "a step in the weekday: both must match",
      "0 0 1-7 * */3",
      ["2026-12-02", "2026-12-05", "2026-12-06", "2027-01-02"],
    ],
    [
      "a list that begins with a star counts as a star",
      "0 0 *,5 * MON",
      ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"],
    ],
    ["0 and 7 are Sunday", "0 0 * * 7", ["2026-11-22", "2026-11-29", "2026-12-06", "2026-12-13"]],
    ["names", "0 0 * JAN-FEB sat,SUN", ["2027-01-02", "2027-01-03", "2027-01-09", "2027-01-10"]],
    ["the last day of the month", "0 0 L * *", ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]],
    ["the second Friday", "0 0 * * FRI#2", ["2026-12-11", "2027-01-08", "2027-02-12", "2027-03-12"]],
    ["leap day", "0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29", "2040-02-29"]],
    ["a day that never comes", "0 0 31 2 *", []],
  ])("%s", (_, expression, expected) => {
    expect(days(expression)).toEqual(expected.map((date) => `${date}T00:00`));
  });

  test.each([
    ["weekday 0 is Monday", "0 0 * * 0", ["2026-11-23", "2026-11-30", "2026-12-07", "2026-12-14"]],
    ["a range of numbers is Monday to Friday", "0 0 * * 0-4", ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]],
    ["names mean the same day", "0 0 * * sat-sun", ["2026-11-21", "2026-11-22", "2026-11-28", "2026-11-29"]],
    ["steps count from Monday", "0 0 * * */3", ["2026-11-22", "2026-11-23", "2026-11-26", "2026-11-29"]],
    ["an open range of weekdays", "0 0 * * 4/2", ["2026-11-22", "2026-11-27", "2026-11-29", "2026-12-04"]],
    ["both day fields must match", "0 0 13 * 4", ["2027-08-13", "2028-10-13", "2029-04-13", "2029-07-13"]],
    ["last is the last day of the month", "0 0 last * *", ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]],
    ["@weekly is Sunday all the same", "@weekly", ["2026-11-22", "2026-11-29", "2026-12-06", "2026-12-13"]],
  ])("read as the original does: %s", (_, expression, expected) => {
    expect(days(expression, { dialect: "apscheduler" })).toEqual(expected.map((date) => `${date}T00:00`));
  });

  test("read as the original does: a start with a step goes on to the end", () => {
    const expected = ["2026-11-20T12:05", "2026-11-20T12:20", "2026-11-20T12:35", "2026-11-20T12:50"];
    expect(days("5/15 * * * *", { dialect: "apscheduler" })).toEqual(expected);
  });

  test("read as the original does, an hour that comes twice still runs once", () => {
    const options = { dialect: "apscheduler", zone: "Europe/Berlin", from: "2026-10-24T12:00:00Z", count: 2 } as const;
    expect(days("30 2 * * *", options)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
  });
});

test.each([
  ["@hourly", ["2026-11-20T13:00", "2026-11-20T14:00"]],
  ["@daily", ["2026-11-21T00:00", "2026-11-22T00:00"]],
  ["@Midnight", ["2026-11-21T00:00", "2026-11-22T00:00"]],
  ["@weekly", ["2026-11-22T00:00", "2026-11-29T00:00"]],
  ["@monthly", ["2026-12-01T00:00", "2027-01-01T00:00"]],
  ["@yearly", ["2027-01-01T00:00", "2028-01-01T00:00"]],
])("%s stands for its five fields", (nickname, expected) => {
  expect(days(nickname, { count: 2 })).toEqual(expected);
});

test("a fixed time carries its local label, which names the zone; a wildcard time has none", () => {
  const zone = openTimeZone("Europe/Berlin");
  const from = Date.parse("2026-03-29T00:30:00Z");
  const label = (expression: string) => parseCronTimes(expression, { zone, dialect: "linux" }).from(from).next().value;
  expect(label("30 2 * * *")).toEqual({
    at: Date.parse("2026-03-29T01:00:00Z"),
    localLabel: "2026-03-29T02:30 Europe/Berlin",
  });
  expect(label("*/30 * * * *")?.localLabel).toBeNull();
});

test("an unknown time zone is refused by its name", () => {
  expect(() => openTimeZone("Europe/Berlln")).toThrow(OperatorError);
  expect(() => openTimeZone("Europe/Berlln")).toThrow('unknown time zone "Europe/Berlln"');
});

describe("asked again", () => {
  const around = Date.parse("2026-10-24T12:00:00Z");
  const zone = openTimeZone("Europe/Berlin");
  const firstOf = (times: CronTimes, after: number) => {
    const found = times.from(after);
    return Array.from({ length: 5 }, () => found.next().value ?? null);
  };

  // Around the hour that comes twice on 25 October.
  test.each(["30 2 * * *", "*/20 1-3 * * *", "0 0 29 2 *", "0 0 31 2 *"])("%s names the same times", (expression) => {
    const asked = fc.array(fc.integer({ min: -40 * 60, max: 40 * 60 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(asked, (minutes) => {
        const shared = parseCronTimes(expression, { zone, dialect: "linux" });
        for (const minute of minutes) {
          const after = around + minute * 60_000;
          expect(firstOf(shared, after)).toEqual(
            firstOf(parseCronTimes(expression, { zone, dialect: "linux" }), after),
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  test("while others are still being told", () => {
    const times = parseCronTimes("@hourly", { zone: openTimeZone("UTC"), dialect: "linux" });
    const early = times.from(around);
    const first = early.next().value;
    times.from(around + 30 * 86_400_000).next();
    const rest = Array.from({ length: 4 }, () => early.next().value);
    expect([first, ...rest].map((time) => (time?.at ?? 0) - around)).toEqual(
      [1, 2, 3, 4, 5].map((hour) => hour * 3_600_000),
    );
  });
});
