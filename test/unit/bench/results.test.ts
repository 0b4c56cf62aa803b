import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatResults, mergeResults, readResults, writeResults } from "../../../bench/results.ts";
import { makeTempDir } from "../../support/temp-dir.ts";
import { madeUpAreas, madeUpFigure, madeUpResults, madeUpRow } from "./made-up-results.ts";

describe("merging", () => {
  it("replaces the rows that were measured again, keeps the others, in the order of the areas", () => {
    const remote = madeUpRow("remote", [madeUpFigure([0.2])]);
    const start = madeUpRow("start", [madeUpFigure([200])], { commit: "newer" });
    const merged = mergeResults(madeUpResults, [start, remote], madeUpAreas);
    expect(merged.rows).toEqual([madeUpResults.rows[0], remote, start]);
  });

  it("forgets rows that are no more", () => {
    const merged = mergeResults({ rows: [madeUpRow("gone", [])] }, [madeUpRow("local", [])], madeUpAreas);
    expect(merged.rows.map(({ name }) => name)).toEqual(["local"]);
  });
});

describe("the file of results", () => {
  it("keeps a list of numbers on one line, and five digits of each", () => {
    const text = formatResults({ rows: [madeUpRow("local", [madeUpFigure([1.23456789, 1000 / 3, 2e-7])])] });
    expect(text).toContain('"values": [1.2346, 333.33, 2e-7]');
    expect(JSON.parse(text)).toMatchObject({ rows: [{ name: "local", figures: [{ name: "syncs ÷ loop" }] }] });
  });

  it("leaves texts that look like such a list alone", () => {
    const note = "[\n  1,\n  2\n]";
    const text = formatResults({ rows: [madeUpRow("local", [madeUpFigure([1], { note })])] });
    expect((JSON.parse(text) as typeof madeUpResults).rows[0]?.figures[0]?.note).toBe(note);
  });

  it("is read as it was written; none is none", async () => {
    const file = join(await makeTempDir(), "latest.json");
    expect(await readResults(file)).toEqual({ rows: [] });
    await writeResults(file, madeUpResults);
    // A bar that is undefined is not written.
    expect(await readResults(file)).toEqual(JSON.parse(JSON.stringify(madeUpResults)));
    expect(readFileSync(file, "utf8").endsWith("}\n")).toBe(true);
  });

  it("that cannot be read is not taken for none", async () => {
    const file = join(await makeTempDir(), "latest.json");
    writeFileSync(file, '{"rows": [');
    await expect(readResults(file)).rejects.toThrow(/JSON/);
  });
});
