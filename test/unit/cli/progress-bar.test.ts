import fc from "fast-check";
import { expect, it } from "vitest";
import { formatProgress } from "../../../src/cli/progress-bar.ts";

const progress = {
  ...{ bytes: 1_500_000, percent: 50, bytesPerSecond: 300_000 },
  ...{ filesTransferred: 3, filesToCheck: 4, filesTotal: 10 },
};
const draw = (width: number, left: number | null = 5000, label = "home copy") =>
  formatProgress(label, progress, { millisecondsLeft: left, width });

it.each([
  [120, "home copy [############............]  50% 1.50 MB 300 kB/s 5s left"],
  [52, "home copy [#####.....]  50% 1.50 MB 300 kB/s 5s left"],
  [44, "home copy [#####.....]  50% 300 kB/s 5s left"],
  [34, "home copy [#####....]  50% 5s left"],
  [26, "home copy [#####....]  50%"],
  [20, "home copy  50%"],
  [12, "home c…  50%"],
  [4, "50%"],
])("at a width of %i", (width, line) => {
  expect(draw(width)).toBe(line);
});

it("says nothing of a time that it does not know, and fills no bar beyond its end", () => {
  expect(draw(120, null)).not.toContain("left");
  expect(formatProgress("x", { ...progress, percent: 130 }, { millisecondsLeft: null, width: 80 })).toContain(
    `[${"#".repeat(24)}] 130%`,
  );
});

it("is never wider than there is room", () => {
  fc.assert(
    fc.property(
      fc.nat(200),
      fc.nat(100),
      fc.string({ maxLength: 60 }),
      fc.option(fc.nat(1e9)),
      (width, percent, label, left) => {
        const line = formatProgress(label, { ...progress, percent }, { millisecondsLeft: left, width });
        expect(line.length).toBeLessThanOrEqual(width);
      },
    ),
  );
});
