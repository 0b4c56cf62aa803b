import { readFile, rename, writeFile } from "node:fs/promises";
import type { Area, Figure } from "./row.ts";

/** What one row has measured, where and when. */
export interface RowResult {
  readonly name: string;
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  /** The load average, and what others used of the processors (per cent), just before it began. */
  readonly loadAtStart: number;
  readonly othersAtStart: number;
  /** How long the row took. */
  readonly seconds: number;
  readonly figures: readonly Figure[];
}

export interface Results {
  readonly rows: readonly RowResult[];
}

/** Puts what was just measured in the place of what was there; in the order of the areas, and without rows that are no more. */
export function mergeResults(earlier: Results, measured: readonly RowResult[], areas: readonly Area[]): Results {
  const names = areas.flatMap(({ rows }) => rows.map(({ name }) => name));
  const found = new Map([...earlier.rows, ...measured].map((row) => [row.name, row]));
  return { rows: names.flatMap((name) => found.get(name) ?? []) };
}

/** None where there is no such file. */
export async function readResults(path: string): Promise<Results> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text === undefined ? { rows: [] } : (JSON.parse(text) as Results);
}

export async function writeResults(path: string, results: Results): Promise<void> {
  await writeFile(`${path}.tmp`, formatResults(results));
  await rename(`${path}.tmp`, path);
}

/** Lists of numbers stand on one line, and no number has more digits than it deserves: the next run is a readable difference. */
export function formatResults(results: Results): string {
  const brief = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(5)) : value);
  const text = JSON.stringify(results, brief, 2);
  // A line break is never part of a string of JSON.
  return `${text.replaceAll(/\[\n[\s\d.,e+-]*\]/g, (list) => list.replaceAll(/\n\s*/g, " ").replace("[ ", "[").replace(" ]", "]"))}\n`;
}
