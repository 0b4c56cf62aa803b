import { expect, test } from "vitest";
import { openHistoryFile } from "../../src/store/database.ts";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";
import { makeInstance } from "../support/instance.ts";
import { copyJob, startHere } from "../support/running-daemon.ts";

test("tells the status of 500 jobs with 100,000 runs behind them", async () => {
  const instance = await makeInstance(({ path }) => ({
    logging: [{ type: "file", path: path("director.log"), level: "info", format: "json" }],
    jobs: Array.from({ length: 500 }, (_, index) =>
      copyJob(path, { id: `job${index}`, schedule: `${index % 60} ${index % 24} * * 1-5` }),
    ),
  }));
  const { database } = openHistoryFile(await loadLibsqlDriver(), instance.path("state/history-test.db"), 1000);
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)";
  const began = Date.now() - 100_000_000;
  database.transaction(() => {
    database.exec(`${numbers} INSERT INTO runs SELECT i, printf('run-%06d', i), '{"kind":"signal"}', '[]',
      ${began} + i * 1000, ${began} + i * 1000 + 500, 'ok', NULL, 'x:1:1' FROM n`);
    database.exec(`${numbers} INSERT INTO jobs SELECT i, i, 'job' || (i % 500), ${began} + i * 1000,
      ${began} + i * 1000 + 400, 'ok', NULL, NULL, NULL, NULL FROM n`);
    database.exec(`INSERT INTO last_results (job_id, target_id, outcome, finished_at, last_success_at)
      SELECT job_id, '', 'ok', max(finished_at), max(finished_at) FROM jobs GROUP BY job_id`);
  });
  database.close();
  const { control } = await startHere(instance);
  const times: string[] = [];
  const timed = <T>(name: string, ask: () => T): T => {
    const start = performance.now();
    const answer = ask();
    times.push(`${name} ${(performance.now() - start).toFixed(1)} ms`);
    return answer;
  };
  const first = timed("first status", () => control.status());
  expect(first.jobs).toHaveLength(500);
  expect(first.jobs[0]).toMatchObject({ lastRun: { runId: "run-100000", outcome: "ok" } });
  expect(first.jobs.every(({ freshness, nextRunAt }) => freshness !== "never" && nextRunAt !== null)).toBe(true);
  expect(timed("second status", () => control.status()).jobs).toEqual(first.jobs);
  timed("ten more", () => Array.from({ length: 10 }, () => control.status()));
  expect(timed("last 30 of one job", () => control.recentRuns("job7"))).toHaveLength(30);
  expect(timed("schedule", () => control.schedule(3))).toHaveLength(500);
  console.log(`500 jobs, 100,000 runs: ${times.join(", ")}`);
});
