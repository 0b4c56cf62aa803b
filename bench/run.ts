import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeOutdated } from "../scripts/generated-files.ts";
import { generatePerformanceFiles } from "../scripts/performance-page.ts";
import { areas } from "./all-rows.ts";
import { describeCommit, describeMachine, loadNow, measureOthers } from "./machine.ts";
import { mergeResults, readResults, type RowResult, writeResults } from "./results.ts";
import { trialRounds } from "./rounds.ts";
import { isMet, type Row } from "./row.ts";
import { formatFigures } from "./table.ts";

const root = join(import.meta.dirname, "..");
const trial = trialRounds() !== undefined;
const resultsFile = join(import.meta.dirname, "results", trial ? "trial.json" : "latest.json");
/** Per cent of the processors; above that a figure says as much about others. */
const busy = 15;

const all = areas.flatMap(({ rows }) => rows);
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.some((row) => row.name === name));
if (unknown.length > 0) {
  console.error(`bench: there is no row ${unknown.join(", ")}. There are:\n${all.map(({ name }) => name).join("\n")}`);
  process.exitCode = 2;
} else {
  await measureRows(named.length === 0 ? all : all.filter(({ name }) => named.includes(name)));
}

async function measureRows(rows: readonly Row[]): Promise<void> {
  const [machine, commit] = [describeMachine(), describeCommit(root)];
  console.log(`${machine}\n${new Date().toISOString()}, commit ${commit}\n`);
  if (trial) console.log("BENCH_ROUNDS is set: these figures are for trying the rows, and are not kept\n");
  await mkdir(join(import.meta.dirname, "results"), { recursive: true });
  const startedAt = performance.now();
  const measured: RowResult[] = [];
  for (const row of rows) {
    try {
      measured.push(await measureRow(row, { machine, commit }));
      // After each: a benchmark that ends early has not been for nothing.
      await writeResults(resultsFile, mergeResults(await readResults(resultsFile), measured, areas));
    } catch (error) {
      console.error(`FAILED  ${row.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      process.exitCode = 1;
    }
  }
  const verdicts = measured.flatMap(({ figures }) => figures.map(isMet)).filter((met) => met !== undefined);
  const met = verdicts.filter(Boolean).length;
  console.log(
    `\n${met} of ${verdicts.length} bars met, ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes`,
  );
  if (!trial) {
    for (const path of await writeOutdated(root, await generatePerformanceFiles(root))) console.log(`wrote ${path}`);
  }
  // What a failed row has left open must not keep the benchmark from its end.
  if (measured.length < rows.length) process.exit(1);
}

async function measureRow(row: Row, where: { machine: string; commit: string }): Promise<RowResult> {
  const loadAtStart = loadNow();
  const othersAtStart = await measureOthers();
  if (othersAtStart > busy) console.log(`others use ${othersAtStart} % of the processors: figures will be too high`);
  const [date, startedAt] = [new Date().toISOString(), performance.now()];
  const directory = await mkdtemp(join(tmpdir(), `rsyncdirector-bench-${row.name}-`));
  try {
    const figures = await row.run(directory);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`${formatFigures(figures)}\n        ${row.name} took ${seconds} s`);
    return { name: row.name, date, ...where, loadAtStart, othersAtStart, seconds, figures };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
