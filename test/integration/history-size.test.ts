import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHistoryFile } from "../../src/store/database.ts";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";
import { createRunHistory, readLastResults } from "../../src/store/run-history.ts";
import { makeTempDir } from "../support/temp-dir.ts";

test("answers from a history of 100,000 runs", async () => {
  const file = join(await makeTempDir(), "history.db");
  const { database } = openHistoryFile(await loadLibsqlDriver(), file, 1000);
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)";
  database.transaction(() => {
    database.exec(`${numbers} INSERT INTO runs SELECT i, printf('run-%06d', i), '{"kind":"signal"}', '[]', i * 1000,
      i * 1000 + 500, iif(i % 1000 = 0, 'failed', 'ok'), NULL, 'x:1:1' FROM n`);
    database.exec(`${numbers} INSERT INTO jobs SELECT i, i, iif(i % 5000 = 0, 'rare', 'job' || (i % 20)), i * 1000,
      i * 1000 + 400, iif(i % 1000 = 0, 'failed', 'ok'), NULL, NULL, NULL, NULL FROM n`);
    database.exec(`${numbers} INSERT INTO actions (job, action_id, target_id, attempt, started_at, finished_at, outcome, argv,
      transferred_bytes) SELECT i, 'copy', '', 1, i * 1000, i * 1000 + 300, 'ok', '[]', i FROM n`);
  });
  const history = createRunHistory(database, () => false);
  const times: string[] = [];
  const timed = <T>(name: string, query: () => T): T => {
    const began = performance.now();
    const answer = query();
    times.push(`${name} ${(performance.now() - began).toFixed(1)} ms`);
    return answer;
  };
  expect(timed("last 20", () => history.listRuns({ limit: 20 }))[0]?.runId).toBe("run-100000");
  expect(timed("one job", () => history.listRuns({ jobId: "job3", limit: 20 }))).toHaveLength(20);
  expect(timed("rare job", () => history.listRuns({ jobId: "rare", limit: 20 }))).toHaveLength(20);
  expect(timed("failed", () => history.listRuns({ withoutSuccess: true, limit: 20 }))).toHaveLength(20);
  const none = { jobId: "job3", withoutSuccess: true, limit: 20 };
  expect(timed("failures of a job without any", () => history.listRuns(none))).toEqual([]);
  expect(timed("since", () => history.listRuns({ since: 99_990_000, limit: 1000 }))).toHaveLength(11);
  expect(
    timed("failed since the middle", () => history.listRuns({ since: 5e7, withoutSuccess: true, limit: 1000 })),
  ).toHaveLength(51);
  expect(timed("prefix", () => history.findRunIds("run-0123", 200))).toHaveLength(100);
  expect(timed("one run", () => history.readRun("run-050000"))?.jobs[0]?.jobId).toBe("rare");
  const ids = Array.from({ length: 500 }, (_, index) => `job${index % 20}`);
  const recent = timed("the last 30 runs of 500 jobs", () => ids.map((id) => history.recentRuns(id, 30)));
  expect(recent.every((runs) => runs.length === 30)).toBe(true);
  expect(history.recentRuns("rare", 2)).toEqual([
    ...[95_000, 100_000].map((number) => ({
      ...{ runId: `run-${String(number).padStart(6, "0")}`, outcome: "failed", message: null },
      ...{ startedAt: number * 1000, finishedAt: number * 1000 + 400, durationMs: 400, bytes: number, files: null },
    })),
  ]);
  expect(timed("last results", () => readLastResults(database))).toEqual([]);
  console.log(`history of 100,000 runs, ${(statSync(file).size / 1e6).toFixed(0)} MB: ${times.join(", ")}`);
  database.close();
});
