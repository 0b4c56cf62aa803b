import { describe, expect, it } from "vitest";
import { formatNumber, formatQuantity, formatSpread } from "../../../bench/format.ts";
import { roundsOf, trialRounds } from "../../../bench/rounds.ts";
import { measureInTurns, ratioOf, seriesOf } from "../../../bench/series.ts";

describe("series", () => {
  it("have a median of an even and of an odd count", () => {
    expect(seriesOf([3, 1, 2])).toMatchObject({ median: 2, min: 1, max: 3 });
    expect(seriesOf([4, 1, 2, 3]).median).toBe(2.5);
  });

  it("are compared value by value", () => {
    expect(ratioOf(seriesOf([2, 9]), seriesOf([4, 3])).values).toEqual([0.5, 3]);
    expect(ratioOf(seriesOf([2, 9]), seriesOf([4])).values[1]).toBeNaN();
  });

  it("are measured in turns, with another side first each time, and without the warm-ups", async () => {
    const turns: string[] = [];
    const side = (name: string) => () => {
      turns.push(name);
      return Promise.resolve(turns.length);
    };
    const sides = { a: side("a"), b: side("b"), c: side("c") };
    const measured = await measureInTurns({ warmUps: 1, counted: 2 }, sides);
    expect(turns.join("")).toBe("abcbcacab");
    expect(measured.a.values).toEqual([6, 8]);
    expect(measured.c.values).toEqual([5, 7]);
  });
});

describe("BENCH_ROUNDS", () => {
  it("makes it a trial, with fewer rounds and never more", () => {
    const rounds = { warmUps: 2, counted: 7 };
    expect(trialRounds({})).toBeUndefined();
    expect(trialRounds({ BENCH_ROUNDS: "" })).toBeUndefined();
    expect(roundsOf(rounds, {})).toEqual(rounds);
    expect(roundsOf(rounds, { BENCH_ROUNDS: "1" })).toEqual({ warmUps: 2, counted: 1 });
    expect(roundsOf(rounds, { BENCH_ROUNDS: "100" })).toEqual(rounds);
  });

  it.each(["0", "-1", "few", "1.5"])("is refused as %s", (text) => {
    expect(() => trialRounds({ BENCH_ROUNDS: text })).toThrow(`BENCH_ROUNDS has to be a number of rounds, not ${text}`);
  });
});

describe("numbers", () => {
  it.each([
    [99.96, "100"],
    [0.12345, "0.123"],
    [0, "0"],
    [20, "20"],
    [12_345.6, "12,346"],
    [Number.NaN, "?"],
  ])("%d is written %s", (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it("have their unit, and a spread where there is one", () => {
    expect(formatQuantity(1.5, "ms")).toBe("1.5 ms");
    expect(formatQuantity(1.5, "")).toBe("1.5");
    expect(formatSpread(seriesOf([1, 2, 3]))).toBe("[1..3] n=3");
    expect(formatSpread(seriesOf([1]))).toBe("");
  });
});
