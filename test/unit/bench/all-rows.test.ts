import { join } from "node:path";
import { expect, it } from "vitest";
import { areas } from "../../../bench/all-rows.ts";
import { chartFile } from "../../../bench/report/page.ts";
import { readResults } from "../../../bench/results.ts";
import { projectRoot } from "../../support/project-files.ts";

const rows = areas.flatMap((area) => area.rows);

it("gives each row a name, a title and an explanation of its own", () => {
  expect(rows.length).toBeGreaterThan(15);
  for (const of of ["name", "title", "explains"] as const) {
    expect(new Set(rows.map((row) => row[of])).size).toBe(rows.length);
  }
  expect(rows.filter(({ name }) => !/^[a-z-]+$/.test(name))).toEqual([]);
  expect(rows.filter(({ explains }) => !explains.endsWith("."))).toEqual([]);
  expect(new Set(areas.map(({ title }) => chartFile(title))).size).toBe(areas.length);
});

it("has kept no results but whole ones, of rows there are and of sources that were committed", async () => {
  const kept = (await readResults(join(projectRoot, "bench", "results", "latest.json"))).rows;
  const names = new Set(rows.map(({ name }) => name));
  const wrong = kept.flatMap((row) => [
    ...(names.has(row.name) ? [] : [`${row.name} is no row`]),
    ...(row.commit.includes("not committed") ? [`${row.name} was measured with changes that were not committed`] : []),
    ...row.figures
      .filter(({ measured }) => measured.values.length < 7)
      .map(({ name, measured }) => `${name}: ${measured.values.length} rounds`),
  ]);
  expect(wrong).toEqual([]);
});
