import { expect, test } from "vitest";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { recordMetrics } from "../../../src/metrics/record-metrics.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { newEvents, noStats, report } from "../../support/history-samples.ts";
import { scrapeText } from "../../support/scrape-text.ts";

test("a job with several targets has what became of each, and counts its transfers once", async () => {
  const events = newEvents();
  const metrics = createMetrics({ version: "1" });
  const recorder = recordMetrics({ events, set: metrics.set, rsyncId: "laptop01" });
  const home = { id: "home", actionIds: ["copy"], targetIds: [], blocks: false };
  recorder.setJobs([{ ...home, targetIds: ["near", "far"] }]);
  const value = async (series: string) => {
    const line = (await scrapeText(metrics)).split("\n").find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  const success = (target: string) =>
    value(`rsyncdirector_last_success_timestamp_seconds{job_id="home",target="${target}"}`);
  const status = (target: string) => value(`rsyncdirector_target_last_status{job_id="home",target="${target}"}`);
  expect([await success("near"), await success("far"), await success("")]).toEqual([0, 0, 0]);
  expect([await status("near"), await status("far")]).toEqual([-1, -1]);
  const of = { runId: "r1", jobId: "home" };
  const stats = { ...noStats, transferredBytes: 100, sentBytes: 50 };
  const done: ActionOutcome = { kind: "ok", report: report({ stats }) };
  const action = { ...of, actionId: "copy", targetId: "near", attempt: 1, startedAt: 1, at: 2000 };
  events.emit("action:finished", { ...action, outcome: done });
  events.emit("target:result", { ...of, targetId: "near", outcome: { kind: "ok" }, at: 2000 });
  events.emit("target:result", { ...of, targetId: "far", outcome: { kind: "failed", message: "down" }, at: 3000 });
  events.emit("target:result", { ...of, targetId: "unknown", outcome: { kind: "ok" }, at: 3000 });
  expect([await success("near"), await success("far"), await success("")]).toEqual([2, 0, 0]);
  expect([await status("near"), await status("far")]).toEqual([0, 4]);
  const bytes = (await scrapeText(metrics)).match(/^rsyncdirector_transferred_bytes_total{job_id="home".*/gm);
  expect(bytes).toEqual([
    'rsyncdirector_transferred_bytes_total{job_id="home",target="near"} 100',
    'rsyncdirector_transferred_bytes_total{job_id="home",target="far"} 0',
  ]);
  recorder.restore([{ jobId: "home", targetId: "far", outcome: "ok", finishedAt: 1000, lastSuccessAt: 1000 }]);
  expect([await success("far"), await status("far"), await success("")]).toEqual([1, 0, 0]);
  expect(await scrapeText(metrics)).not.toContain('target="unknown"');
  recorder.setJobs([home]);
  expect(await scrapeText(metrics)).not.toMatch(/target="(near|far)"/);
});
