import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes } from "../../../../src/base/size.ts";
import type { RecentRun } from "../../../../src/model/status.ts";
import { timeChart, type ChartPoint } from "../../../../src/web/page/chart.ts";
import { decimalAxis, durationAxis, place, timeTicks } from "../../../../src/web/page/scale.ts";
import { runStrip } from "../../../../src/web/page/strip.ts";

describe("an axis", () => {
  it.each([
    [0, 1, [0, 1]],
    [1, 1, [0, 1]],
    [7, 8, [0, 2, 4, 6, 8]],
    [400_000_000, 400_000_000, [0, 1e8, 2e8, 3e8, 4e8]],
    [410_000_000, 600_000_000, [0, 2e8, 4e8, 6e8]],
  ])("of bytes up to %d ends at %d", (largest, max, ticks) => {
    expect(decimalAxis(largest)).toEqual({ max, ticks });
  });

  it.each([
    [90_000, [0, 30_000, 60_000, 90_000]],
    [59 * 60_000, [0, 15, 30, 45, 60].map((minutes) => minutes * 60_000)],
    [25 * 3_600_000, [0, 12, 24, 36].map((hours) => hours * 3_600_000)],
  ])("of durations up to %d ms counts as people do", (largest, ticks) => {
    expect(durationAxis(largest).ticks).toEqual(ticks);
  });

  it("covers any value with two to five ticks in equal steps", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e15, noNaN: true }),
        fc.constantFrom(decimalAxis, durationAxis),
        (value, axisOf) => {
          const { max, ticks } = axisOf(value);
          expect(max).toBeGreaterThanOrEqual(value * (1 - 1e-9));
          expect(ticks.length).toBeGreaterThanOrEqual(2);
          expect(ticks.length).toBeLessThanOrEqual(6);
          expect(ticks.at(-1)).toBe(max);
        },
      ),
    );
  });

  it.each([Number.NaN, -5, Number.NEGATIVE_INFINITY])("is an axis for %d too", (largest) => {
    expect(decimalAxis(largest).ticks).toEqual([0, 1]);
  });

  it("places values inside, and the only one in the middle", () => {
    expect(place(5, 0, 10, 100)).toBe(50);
    expect(place(-1, 0, 10, 100)).toBe(0);
    expect(place(11, 0, 10, 100)).toBe(100);
    expect(place(3, 3, 3, 100)).toBe(50);
    expect(timeTicks(0, 30, 4)).toEqual([0, 10, 20, 30]);
    expect(timeTicks(5, 5, 4)).toEqual([5]);
  });
});

const point = (at: number, value: number, tone: ChartPoint["tone"] = "good"): ChartPoint => ({
  ...{ at, value, tone, outcome: tone === "good" ? "ok" : "failed" },
});

describe("a chart", () => {
  const draw = (points: readonly ChartPoint[]) =>
    timeChart({ title: "Bytes", points, axis: decimalAxis(400), format: formatBytes }).toString();

  it("says in its name what it shows", () => {
    expect(draw([point(0, 100), point(10, 400, "bad"), point(20, 300)])).toContain(
      'aria-label="Bytes of the last 3 runs: from 100 B to 400 B, the latest 300 B"',
    );
  });

  it("gives a run that failed another shape", () => {
    const text = draw([point(0, 100), point(10, 400, "bad")]);
    expect(text.match(/<circle class="good"/g)).toHaveLength(1);
    expect(text.match(/<rect class="bad"/g)).toHaveLength(1);
  });

  it("has units at its axis, and no number that is none", () => {
    for (const points of [[], [point(5, 0)], [point(5, 1), point(5, 400)]])
      expect(draw(points)).not.toMatch(/NaN|Infinity/);
    expect(draw([point(0, 100), point(10, 400)])).toMatch(/>400 B<\/text/);
  });
});

describe("the strip of the last runs", () => {
  const run = (number: number, overrides: Partial<RecentRun> = {}): RecentRun => ({
    ...{ runId: `r${number}`, outcome: "ok", startedAt: number * 1000, durationMs: 1000, bytes: null, files: null },
    ...overrides,
  });

  it("draws a bar for each of the last thirty, as high as it took long, and leads to the run", () => {
    const text = runStrip(
      "job",
      Array.from({ length: 40 }, (_, index) => run(index)),
    ).toString();
    expect(text.match(/<rect /g)).toHaveLength(30);
    expect(text).not.toContain('/runs/r9"');
    expect(text).toContain('href="/runs/r39"');
    const heights = [
      ...runStrip("job", [run(1, { durationMs: 0 }), run(2)])
        .toString()
        .matchAll(/height="(\d+)" ?\/>/g),
    ];
    expect(heights.map(([, height]) => Number(height))).toEqual([6, 28]);
  });

  it("tells the same in words, and marks a bad run by more than its colour", () => {
    const text = runStrip("job", [run(1), run(2, { outcome: "failed" })]).toString();
    expect(text).toContain("Last 2 runs of job: 1 ok and 1 failed. The latest: failed.");
    expect(text.match(/class="notch"/g)).toHaveLength(1);
  });
});
