import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../../src/base/duration.ts";

describe("durations", () => {
  it.each([
    [90, 90_000],
    [0.5, 500],
    ["90", 90_000],
    ["90s", 90_000],
    ["15m", 900_000],
    ["2h 30m", 9_000_000],
    ["2h30m", 9_000_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["250ms", 250],
  ])("reads %j as %d ms", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "", "m", "5 minutes", "-5s", "1h x", "12:30:00", "1e3"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("reads every whole number of a unit exactly", () => {
    const units = fc.constantFrom(["s", 1000], ["m", 60_000], ["h", 3_600_000], ["d", 86_400_000]) as fc.Arbitrary<
      [string, number]
    >;
    fc.assert(
      fc.property(fc.nat(10_000), units, (count, [unit, ms]) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * ms);
      }),
    );
  });

  it.each([
    [0, "0ms"],
    [999, "999ms"],
    [1500, "1.5s"],
    [5000, "5s"],
    [90_000, "1m 30s"],
    [3_600_000, "1h"],
    [93_784_000, "1d 2h"],
    [604_800_000, "7d"],
  ])("writes %d ms as %s", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});
