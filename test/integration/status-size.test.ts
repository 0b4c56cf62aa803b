import { expect, test } from "vitest";
import { makeInstance } from "../support/instance.ts";
import { fillHistory } from "../support/many-runs.ts";
import { copyJob, startHere } from "../support/running-daemon.ts";

test("tells the status of 500 jobs with 100,000 runs behind them", async () => {
  const instance = await makeInstance(({ path }) => ({
    logging: [{ type: "file", path: path("director.log"), level: "info", format: "json" }],
    jobs: Array.from({ length: 500 }, (_, index) =>
      copyJob(path, { id: `job${index}`, schedule: `${index % 60} ${index % 24} * * 1-5` }),
    ),
  }));
  await fillHistory(instance.path("state/history-test.db"), { jobs: 500, runs: 100_000 });
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
