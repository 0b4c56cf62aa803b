import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseProgress } from "../../../src/rsync/progress.ts";
import { captured, capturedVersions } from "../../support/rsync-fixtures.ts";

describe.each(capturedVersions)("progress of rsync %s", (version) => {
  it("is read from every update of a slow transfer", () => {
    const updates = captured(version, "slow").split("\n")[0]?.split("\r").filter(Boolean).map(parseProgress);
    expect(updates?.length).toBeGreaterThan(3);
    expect(updates?.[0]).toMatchObject({ bytes: 32_768, percent: 4, filesTransferred: null, filesTotal: null });
    expect(updates?.at(-1)).toMatchObject({
      bytes: 700_000,
      percent: 100,
      filesTransferred: 1,
      filesToCheck: 0,
      filesTotal: 1,
    });
    expect(updates?.every((update) => update !== undefined)).toBe(true);
  });

  it("is not seen in what follows no carriage return", () => {
    const lines = captured(version, "verbose")
      .split("\n")
      .map((line) => line.split("\r")[0] ?? "");
    expect(lines.filter((line) => parseProgress(line) !== undefined)).toEqual([]);
  });
});

it("understands units and thousands", () => {
  expect(parseProgress("  1,234,567  12%    1.50MB/s    0:00:03 (xfr#1, ir-chk=5/10)")).toEqual({
    bytes: 1_234_567,
    percent: 12,
    bytesPerSecond: 1_572_864,
    filesTransferred: 1,
    filesToCheck: 5,
    filesTotal: 10,
  });
  expect(parseProgress("  1.5G  12%   10.00kB/s    0:00:03")?.bytes).toBe(1_500_000_000);
});

it("takes any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from(" 0123456789,.%kMG/sB:(xfr#to-chk=)")) }), (text) => {
      const values = Object.values(parseProgress(text) ?? {});
      expect(values.filter((value) => Number.isNaN(value))).toEqual([]);
    }),
  );
});
