import { statSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { openHistoryFile } from "../../../src/store/database.ts";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import { pruneHistory } from "../../../src/store/retention.ts";
import { packOutput, recordAction, recordRunEnd, type RunFacts } from "../../../src/store/run-records.ts";
import type { SqlDatabase } from "../../../src/store/sql-database.ts";
import { report } from "../../support/history-samples.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const day = 86_400_000;

async function openNew(): Promise<{ database: SqlDatabase; path: string }> {
  const path = join(await makeTempDir(), "h.db");
  const { database } = openHistoryFile(await loadLibsqlDriver(), path, 1000);
  onTestFinished(() => database.close());
  return { database, path };
}

function record(database: SqlDatabase, runId: string, startedAt: number, output = ""): void {
  const run: RunFacts = { runId, cause: { kind: "signal" }, jobs: ["a"], startedAt, owner: "none:1:1" };
  const job = { run, jobId: "a", startedAt };
  const outcome = { kind: "ok", report: report({ output }) } as const;
  const action = { job, actionId: "x", targetId: "", attempt: 1, argv: [], startedAt, finishedAt: startedAt, outcome };
  recordAction(database, action, packOutput(outcome.report));
  recordRunEnd(database, run, "ok", startedAt + 1);
}

const left = (database: SqlDatabase) => database.all("SELECT run_id FROM runs ORDER BY id").map((row) => row["run_id"]);
const count = (database: SqlDatabase, table: string) => database.all(`SELECT count(*) AS n FROM ${table}`)[0]?.["n"];

test("keeps the newest runs by count, with everything that belongs to them", async () => {
  const { database } = await openNew();
  for (let number = 1; number <= 5; number += 1) record(database, `r${number}`, number, "text");
  expect(pruneHistory(database, { retention: { keepRuns: 2, keepMs: day }, now: 10 })).toBe(false);
  expect(left(database)).toEqual(["r4", "r5"]);
  expect(["jobs", "actions", "outputs"].map((table) => count(database, table))).toEqual([2, 2, 2]);
});

test("deletes runs that are too old", async () => {
  const { database } = await openNew();
  record(database, "old", 1 * day);
  record(database, "new", 9 * day);
  pruneHistory(database, { retention: { keepRuns: 100, keepMs: 5 * day }, now: 10 * day });
  expect(left(database)).toEqual(["new"]);
});

test("works in steps until nothing is left to do", async () => {
  const { database } = await openNew();
  database.transaction(() => {
    for (let number = 1; number <= 250; number += 1) record(database, `r${number}`, number);
  });
  const steps: boolean[] = [];
  for (let more = true; more;) {
    more = pruneHistory(database, { retention: { keepRuns: 10, keepMs: day }, now: 300 });
    steps.push(more);
  }
  expect(steps).toEqual([true, true, false]);
  expect(count(database, "runs")).toBe(10);
});

test("drops the oldest outputs beyond the budget and gives their space back", async () => {
  const { database, path } = await openNew();
  for (let number = 1; number <= 8; number += 1) {
    record(database, `r${number}`, number, randomBytes(200_000).toString("base64"));
  }
  const before = statSync(path).size;
  pruneHistory(database, { retention: { keepRuns: 100, keepMs: day }, now: 10, outputBudget: 500_000 });
  expect(count(database, "runs")).toBe(8);
  expect(count(database, "outputs")).toBe(2);
  expect(statSync(path).size).toBeLessThan(before / 2);
});

test("a run that has not ended stays", async () => {
  const { database } = await openNew();
  database.run("INSERT INTO runs (run_id, cause, requested_jobs, started_at, owner) VALUES ('r', '{}', '[]', 1, 'x')");
  pruneHistory(database, { retention: { keepRuns: 0, keepMs: 0 }, now: 10 * day });
  expect(left(database)).toEqual(["r"]);
});
