import { expect, test } from "vitest";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { ratioToMedian, recordAnomalies } from "../../../src/metrics/record-anomalies.ts";
import type { JobOutcome } from "../../../src/model/run.ts";
import { newEvents, noStats, report } from "../../support/history-samples.ts";
import { scrapeText } from "../../support/scrape-text.ts";

async function start(jobs: readonly string[] = ["home"]) {
  const events = newEvents();
  const metrics = createMetrics({ version: "1.2.3" });
  const recorder = recordAnomalies({ events, set: metrics.set });
  const added = recorder.setJobs(jobs);
  let number = 0;
  /** One run of a job: what it transferred, how long it took and how long it waited before. */
  const run = (
    bytes: number | null,
    seconds: number,
    more: { jobId?: string; waited?: number; outcome?: JobOutcome } = {},
  ) => {
    const { jobId = "home", waited = 0, outcome = { kind: "ok" } } = more;
    const of = { runId: `run${(number += 1)}`, jobId };
    const stats = bytes === null ? null : { ...noStats, transferredBytes: bytes };
    const action = { ...of, actionId: "copy", targetId: "", attempt: 1, startedAt: 0, at: 0 };
    events.emit("job:unblocked", { ...of, waitedMs: waited * 1000, outcome: "free", at: 0 });
    events.emit("action:finished", { ...action, outcome: { kind: "ok", report: report({ stats }) } });
    events.emit("job:finished", { ...of, outcome, startedAt: 0, at: (seconds + waited) * 1000 });
  };
  const show = async (jobId = "home") => {
    const lines = (await scrapeText(metrics)).split("\n").filter((line) => line.includes(`{job_id="${jobId}"}`));
    return Object.fromEntries(
      lines.map((line) => [/^rsyncdirector_(\w+)/.exec(line)?.[1] ?? "", Number(line.split(" ").at(-1))]),
    );
  };
  return { recorder, added, run, show };
}

const unknown = { last_run_bytes: -1, last_run_duration_seconds: -1, run_bytes_ratio: -1, run_duration_ratio: -1 };

test.each([
  ["too few to compare with", 5, [1, 2, 3, 4], -1],
  ["nothing to compare", null, [1, 2, 3, 4, 5], -1],
  ["an odd number", 6, [5, 1, 2, 4, 3], 2],
  ["an even number", 7, [6, 5, 1, 2, 4, 3], 2],
  ["nothing where there usually is something", 0, [1, 2, 3, 4, 5], 0],
  ["nothing where there usually is nothing", 0, [0, 0, 0, 0, 9], 1],
  ["something where there usually is nothing", 5, [0, 0, 0, 0, 9], -1],
])("the ratio to the median of %s", (_what, value, others, ratio) => {
  expect(ratioToMedian(value, others)).toBe(ratio);
});

test("a run is compared with those before it, once there are five", async () => {
  const { run, show } = await start();
  expect(await show()).toEqual(unknown);
  for (let count = 0; count < 5; count += 1) run(100, 10);
  expect(await show()).toEqual({ ...unknown, last_run_bytes: 100, last_run_duration_seconds: 10 });
  run(1200, 30);
  expect(await show()).toEqual({
    ...{ last_run_bytes: 1200, last_run_duration_seconds: 30, run_bytes_ratio: 12, run_duration_ratio: 3 },
  });
  run(0, 10);
  expect(await show()).toMatchObject({ run_bytes_ratio: 0, run_duration_ratio: 1 });
});

test("neither the wait for a lock nor a run that failed counts, and only the last twenty do", async () => {
  const { run, show } = await start();
  for (let count = 0; count < 30; count += 1) run(1000, 1);
  for (let count = 0; count < 20; count += 1) run(100, 10, { waited: 3600 });
  run(100, 10, { waited: 7200 });
  expect(await show()).toMatchObject({ run_bytes_ratio: 1, run_duration_ratio: 1 });
  run(900, 90, { outcome: { kind: "failed", message: "", actionId: null } });
  expect(await show()).toMatchObject({ last_run_bytes: 100, run_bytes_ratio: 1 });
});

test("what was before a restart counts, and programs that say nothing have no bytes", async () => {
  const { added, recorder, run, show } = await start();
  expect(added).toEqual(["home"]);
  const before = Array.from({ length: 5 }, () => ({ bytes: 50, durationMs: 2000 }));
  recorder.restore("home", [...before, { bytes: 100, durationMs: 4000 }]);
  expect(await show()).toMatchObject({ last_run_bytes: 100, run_bytes_ratio: 2, run_duration_ratio: 2 });
  run(null, 4);
  expect(await show()).toMatchObject({ last_run_bytes: -1, run_bytes_ratio: -1, run_duration_ratio: 2 });
});

test("jobs that leave the configuration leave the metrics, and others are not followed", async () => {
  const { recorder, run, show } = await start();
  run(100, 10, { jobId: "other" });
  expect(await show("other")).toEqual({});
  expect(recorder.setJobs(["other"])).toEqual(["other"]);
  expect(await show()).toEqual({});
  expect(await show("other")).toEqual(unknown);
});
