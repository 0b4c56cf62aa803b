import { describe, expect, test } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { neverComes, originalMeansOtherWeekdays, readFields } from "../../../src/config/cron-fields.ts";

describe("an expression that cannot be read", () => {
  test.each([
    ["* * * * * *", "linux", "it has 6 fields; five are wanted, seconds and years are not supported"],
    ["0 0 2 * * * 2027", "linux", "it has 7 fields"],
    ["0 2 * *", "linux", "it wants five fields"],
    ["", "linux", "it wants five fields"],
    ["2026-11-20T02:00:00", "linux", "it wants five fields"],
    ["__proto__", "linux", "it wants five fields"],
    ["constructor", "apscheduler", "it wants five fields"],
    ["@reboot", "linux", "the nickname is not one of @yearly"],
    ["CRON_TZ=UTC 0 2 * * *", "linux", "give the time zone with the key `timezone`"],
    ["60 2 * * *", "linux", 'the minute "60" is not valid (0-59;'],
    ["0 24 * * *", "linux", 'the hour "24" is not valid (0-23;'],
    ["0 0 32 * *", "linux", 'the day of month "32" is not valid (1-31'],
    ["0 0 1 13 *", "linux", 'the month "13" is not valid (1-12'],
    ["0 0 * * fri-mon", "linux", 'the day of week "fri-mon" is not valid'],
    ["*/0 * * * *", "linux", 'the minute "*/0" is not valid'],
    ["5/15 * * * *", "linux", 'the minute "5/15" is not valid'],
    ["0 0 last * *", "linux", 'the day of month "last" is not valid'],
    ["0 0 * * 8", "linux", 'the day of week "8" is not valid (0-7 (0 and 7 are Sunday)'],
    ["~ * * * *", "linux", 'the minute "~" is not valid'],
    ["0 0 * * 7", "apscheduler", 'the day of week "7" is not valid with cron_dialect apscheduler (0-6, 0 is Monday'],
    ["0 0 * * fri-mon", "apscheduler", 'the day of week "fri-mon" is not valid'],
    ["0 0 * * 1,,2", "apscheduler", 'the day of week "1,,2" is not valid'],
  ] as const)("%j (%s) is refused and says why", (expression, dialect, reason) => {
    const read = () => readFields(expression, dialect);
    expect(read).toThrow(OperatorError);
    expect(read).toThrow(`cron expression "${expression}" is not valid: ${reason}`);
  });
});

test("an expression that cannot be read is shown in one short line", () => {
  const expression = `0 2 ${"1,".repeat(5000)}\u0007 *\n*`;
  const read = () => readFields(expression, "linux");
  expect(read).toThrow(/^[\x20-\x7e…]{0,400}$/);
});

describe("a day", () => {
  test.each(["0 0 31 2 *", "0 0 30 FEB ?", "* * 31 2,4,6,9,11 *", "0 0 */16 * FRI#5"])("%s never comes", (text) => {
    expect(neverComes(readFields(text, "linux"))).toBe(true);
  });

  test.each(["* * * * *", "0 0 29 2 *", "0 0 31 2 MON", "0 0 L 2 *", "0 0 * 2 FRI#5", "@yearly"])(
    "%s comes",
    (text) => {
      expect(neverComes(readFields(text, "linux"))).toBe(false);
    },
  );

  test("of the month that no month has never comes, whatever the weekday, where both must match", () => {
    expect(neverComes(readFields("0 0 31 2 0", "apscheduler"))).toBe(true);
    expect(neverComes(readFields("0 0 29 2 0", "apscheduler"))).toBe(false);
  });
});

describe("the weekdays of the original", () => {
  test.each(["1-5", "0", "6", "*/2", "*/7", "1,3", "SUN,0", "0-5"])("are others for %s", (field) => {
    expect(originalMeansOtherWeekdays(readFields(`0 0 * * ${field}`, "linux"))).toBe(true);
  });

  test.each([
    ["every day", "0-6"],
    ["every day by steps of one", "*/1"],
    ["names", "MON-FRI"],
    ["7, which the original refuses", "7"],
    ["a range to 7, which the original refuses", "1-7"],
    ["a weekday of the month, which the original refuses", "5#2"],
    ["a last weekday, which the original refuses", "5L"],
  ])("are the same or none for %s", (_, field) => {
    expect(originalMeansOtherWeekdays(readFields(`0 0 * * ${field}`, "linux"))).toBe(false);
  });
});
