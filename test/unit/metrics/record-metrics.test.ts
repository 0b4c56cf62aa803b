import { expect, test } from "vitest";
import type { MetricJob } from "../../../src/metrics/job-series.ts";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { recordMetrics } from "../../../src/metrics/record-metrics.ts";
import type { ActionOutcome, JobOutcome } from "../../../src/model/run.ts";
import { emitRun, newEvents, noStats, report } from "../../support/history-samples.ts";
import { scrapeText } from "../../support/scrape-text.ts";

const home: MetricJob = { id: "home", actionIds: ["copy", "check"], targetIds: [], blocks: true };
const mail: MetricJob = { id: "mail", actionIds: ["copy"], targetIds: [], blocks: false };

async function start(jobs = [home, mail]) {
  const events = newEvents();
  const metrics = createMetrics({ version: "1.2.3" });
  const recorder = recordMetrics({ events, set: metrics.set, rsyncId: "laptop01" });
  recorder.setJobs(jobs);
  /** Value of one series, as a scrape shows it; undefined when it is not there. */
  const value = async (series: string) => {
    const line = (await scrapeText(metrics)).split("\n").find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { events, metrics, recorder, value };
}

const failed = (cause: "exit" | "process" | "exception"): ActionOutcome => ({
  kind: "failed",
  cause,
  message: "no",
  retryable: false,
  report: null,
});
const failedJob: JobOutcome = { kind: "failed", message: "no", actionId: "copy" };

test("every series of every job is there before anything has happened", async () => {
  const { metrics } = await start();
  const text = await scrapeText(metrics);
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const names = series
    .filter((line) => line.includes('"home"') && !line.includes("_bucket{"))
    .map((line) => line.split(" ")[0]);
  expect(names).toMatchInlineSnapshot(`
    [
      "job_duration_seconds_sum{job_id="home"}",
      "job_duration_seconds_count{job_id="home"}",
      "blocked_seconds_sum{job_id="home"}",
      "blocked_seconds_count{job_id="home"}",
      "job_skipped_for_block_timeout_total{job_id="home"}",
      "blocked_total{job_id="home"}",
      "lock_files{job_id="home"}",
      "job_aborted_for_failed_action_err_total{job_id="home",action_id="copy"}",
      "job_aborted_for_failed_action_err_total{job_id="home",action_id="check"}",
      "job_aborted_for_failed_process_err_total{job_id="home",action_id="copy"}",
      "job_aborted_for_failed_process_err_total{job_id="home",action_id="check"}",
      "job_aborted_for_exception_err_total{job_id="home",action_id="copy"}",
      "job_aborted_for_exception_err_total{job_id="home",action_id="check"}",
      "rsyncdirector_last_success_timestamp_seconds{job_id="home",target=""}",
      "rsyncdirector_last_run_timestamp_seconds{job_id="home"}",
      "rsyncdirector_last_run_status{job_id="home"}",
      "rsyncdirector_job_state{job_id="home"}",
      "rsyncdirector_next_run_timestamp_seconds{job_id="home"}",
      "rsyncdirector_last_due_timestamp_seconds{job_id="home"}",
      "rsyncdirector_job_outcomes_total{job_id="home",outcome="ok"}",
      "rsyncdirector_job_outcomes_total{job_id="home",outcome="warning"}",
      "rsyncdirector_job_outcomes_total{job_id="home",outcome="skipped"}",
      "rsyncdirector_job_outcomes_total{job_id="home",outcome="cancelled"}",
      "rsyncdirector_job_outcomes_total{job_id="home",outcome="failed"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="block-timeout"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="already-running"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="disabled"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="paused"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="hook"}",
      "rsyncdirector_job_skipped_total{job_id="home",cause="dry-run"}",
      "rsyncdirector_action_retries_total{job_id="home",action_id="copy"}",
      "rsyncdirector_action_retries_total{job_id="home",action_id="check"}",
      "rsyncdirector_transferred_bytes_total{job_id="home",target=""}",
      "rsyncdirector_network_bytes_total{job_id="home",target="",direction="sent"}",
      "rsyncdirector_network_bytes_total{job_id="home",target="",direction="received"}",
      "rsyncdirector_transferred_files_total{job_id="home",target=""}",
      "rsyncdirector_deleted_files_total{job_id="home",target=""}",
      "rsyncdirector_tracked_changes_total{job_id="home"}",
      "rsyncdirector_change_tracking_troubles_total{job_id="home"}",
      "rsyncdirector_blocked_unknown_total{job_id="home"}",
      "rsyncdirector_lock_withdrawn_total{job_id="home"}",
      "rsyncdirector_lock_stuck{job_id="home"}",
      "rsyncdirector_job_fenced{job_id="home"}",
      "rsyncdirector_lock_state{job_id="home"}",
      "rsyncdirector_lock_heartbeat_age_seconds{job_id="home"}",
      "rsyncdirector_lock_suspect_total{job_id="home"}",
      "rsyncdirector_lock_lost_total{job_id="home"}",
      "rsyncdirector_lock_foreign_age_seconds{job_id="home"}",
      "rsyncdirector_waiting_seconds{job_id="home"}",
      "rsyncdirector_lock_broken_total{job_id="home"}",
      "rsyncdirector_lock_spared_total{job_id="home"}",
      "rsyncdirector_schedule_missed_total{job_id="home"}",
    ]
  `);
  expect(series).toContain('runs_completed_total{rsync_id="laptop01"} 0');
  expect(series).toContain('rsyncdirector_job_state{job_id="home"} 0');
  expect(text).not.toContain('blocked_seconds_count{job_id="mail"}');
});

test("the original's histograms have the original's buckets", async () => {
  const { metrics } = await start([mail]);
  const text = await scrapeText(metrics);
  const buckets = [...text.matchAll(/^job_duration_seconds_bucket\{le="([^"]+)"/gm)].map((match) => match[1]);
  expect(buckets.join(" ")).toBe(
    "0.01 0.1 0.5 1 10 30 60 300 600 1800 3600 7200 14400 28800 86400 172800 604800 1209600 +Inf",
  );
});

test("a job's duration includes its wait, and only jobs with blocks_on observe blocked_seconds", async () => {
  const { events, value } = await start();
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home", waitedMs: 40 }, { id: "mail" }] });
  emitRun(events, { runId: "r2", at: 0, jobs: [{ id: "home" }] });
  expect(await value('job_duration_seconds_sum{job_id="home"}')).toBe(0.2);
  expect(await value('blocked_seconds_sum{job_id="home"}')).toBe(0.04);
  expect(await value('blocked_seconds_count{job_id="home"}')).toBe(2);
  expect(await value('blocked_seconds_count{job_id="mail"}')).toBeUndefined();
  expect(await value('runs_completed_total{rsync_id="laptop01"}')).toBe(2);
  expect(await value('rsyncdirector_runs_started_total{cause="signal"}')).toBe(2);
});

test.each([
  ["exit", "job_aborted_for_failed_action_err_total"],
  ["process", "job_aborted_for_failed_process_err_total"],
  ["exception", "job_aborted_for_exception_err_total"],
] as const)("a job ended by an action's %s failure counts in %s alone", async (cause, name) => {
  const { events, metrics } = await start();
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home", action: failed(cause), outcome: failedJob }] });
  const counted = (await scrapeText(metrics)).match(/^job_aborted\S+ 1$/gm);
  expect(counted).toEqual([`${name}{job_id="home",action_id="copy"} 1`]);
});

test("an action that works when it is tried again aborts nothing", async () => {
  const { events, value } = await start();
  const of = { runId: "r1", jobId: "home", actionId: "copy" };
  events.emit("job:started", { ...of, at: 0 });
  events.emit("action:finished", { ...of, targetId: "", attempt: 1, outcome: failed("exit"), startedAt: 0, at: 1 });
  events.emit("action:retrying", { ...of, targetId: "", attempt: 1, delayMs: 10, message: "", at: 1 });
  events.emit("action:finished", {
    ...of,
    targetId: "",
    attempt: 2,
    outcome: { kind: "ok", report: report() },
    startedAt: 2,
    at: 3,
  });
  events.emit("job:finished", { ...of, outcome: { kind: "ok" }, startedAt: 0, at: 3000 });
  expect(await value('job_aborted_for_failed_action_err_total{job_id="home",action_id="copy"}')).toBe(0);
  expect(await value('rsyncdirector_action_retries_total{job_id="home",action_id="copy"}')).toBe(1);
  expect(await value('rsyncdirector_last_success_timestamp_seconds{job_id="home",target=""}')).toBe(3);
});

test("waits and locks are counted as they come and go", async () => {
  const { events, value } = await start();
  const of = { runId: "r1", jobId: "home", place: { host: "nas", path: "/lock" }, at: 0 };
  events.emit("job:started", of);
  events.emit("job:blocked", { ...of, state: "held", owner: "12", detail: "" });
  events.emit("job:blocked", { ...of, state: "unknown", owner: null, detail: "timeout" });
  expect(await value('blocked_total{job_id="home"}')).toBe(2);
  expect(await value('rsyncdirector_blocked_unknown_total{job_id="home"}')).toBe(1);
  expect(await value('rsyncdirector_job_state{job_id="home"}')).toBe(2);
  for (const token of ["a", "b", "c"]) events.emit("lock:acquired", { ...of, token });
  expect(await value('lock_files{job_id="home"}')).toBe(3);
  events.emit("lock:withdrawn", { ...of, token: "a", because: "seen" });
  events.emit("lock:stuck", { ...of, token: "b", detail: "unreachable" });
  events.emit("lock:released", { ...of, token: "c" });
  expect(await value('lock_files{job_id="home"}')).toBe(1);
  expect(await value('rsyncdirector_lock_stuck{job_id="home"}')).toBe(1);
  expect(await value('rsyncdirector_lock_withdrawn_total{job_id="home"}')).toBe(1);
  events.emit("lock:released", { ...of, token: "b" });
  expect(await value('lock_files{job_id="home"}')).toBe(0);
  expect(await value('rsyncdirector_lock_stuck{job_id="home"}')).toBe(0);
});

test("a job skipped for its block counts as the original counted it", async () => {
  const { events, value } = await start();
  const outcome: JobOutcome = { kind: "skipped", cause: "block-timeout", message: "" };
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home", outcome, waitedMs: 60 }] });
  expect(await value('job_skipped_for_block_timeout_total{job_id="home"}')).toBe(1);
  expect(await value('rsyncdirector_job_skipped_total{job_id="home",cause="block-timeout"}')).toBe(1);
  expect(await value('rsyncdirector_last_run_status{job_id="home"}')).toBe(2);
});

test("a job that was not tried because it still runs has no duration and leaves the last result alone", async () => {
  const { events, value } = await start();
  emitRun(events, { runId: "r1", at: 5000, jobs: [{ id: "home" }] });
  events.emit("job:started", { runId: "r2", jobId: "home", at: 6000 });
  const outcome: JobOutcome = { kind: "skipped", cause: "already-running", message: "" };
  events.emit("job:finished", { runId: "r3", jobId: "home", outcome, startedAt: 7000, at: 7000 });
  expect(await value('job_duration_seconds_count{job_id="home"}')).toBe(1);
  expect(await value('rsyncdirector_last_run_status{job_id="home"}')).toBe(0);
  expect(await value('rsyncdirector_job_state{job_id="home"}')).toBe(3);
  expect(await value('rsyncdirector_job_skipped_total{job_id="home",cause="already-running"}')).toBe(1);
});

test("bytes and files add up", async () => {
  const { events, value } = await start();
  const stats = {
    ...noStats,
    transferredBytes: 100,
    filesTransferred: 2,
    filesDeleted: 1,
    sentBytes: 50,
    receivedBytes: 7,
  };
  const action = { kind: "ok", report: report({ stats }) } as const;
  for (const runId of ["r1", "r2"]) emitRun(events, { runId, at: 0, jobs: [{ id: "home", action }] });
  expect(await value('rsyncdirector_transferred_bytes_total{job_id="home",target=""}')).toBe(200);
  expect(await value('rsyncdirector_transferred_files_total{job_id="home",target=""}')).toBe(4);
  expect(await value('rsyncdirector_deleted_files_total{job_id="home",target=""}')).toBe(2);
  expect(await value('rsyncdirector_network_bytes_total{job_id="home",target="",direction="sent"}')).toBe(100);
  expect(await value('rsyncdirector_network_bytes_total{job_id="home",target="",direction="received"}')).toBe(14);
});

test("what was known before a restart fills the gauges, for jobs that still exist", async () => {
  const { recorder, value, metrics } = await start();
  recorder.restore([
    { jobId: "home", targetId: "", outcome: "failed", finishedAt: 9000, lastSuccessAt: 4000 },
    { jobId: "gone", targetId: "", outcome: "ok", finishedAt: 9000, lastSuccessAt: 9000 },
  ]);
  expect(await value('rsyncdirector_last_success_timestamp_seconds{job_id="home",target=""}')).toBe(4);
  expect(await value('rsyncdirector_last_run_timestamp_seconds{job_id="home"}')).toBe(9);
  expect(await value('rsyncdirector_last_run_status{job_id="home"}')).toBe(4);
  expect(await scrapeText(metrics)).not.toContain("gone");
});

test("a reload removes the series of jobs that left and keeps the counts of those that stay", async () => {
  const { events, recorder, value, metrics } = await start();
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home" }, { id: "mail" }] });
  recorder.setJobs([mail, { id: "new", actionIds: [], targetIds: [], blocks: false }]);
  expect(await scrapeText(metrics)).not.toContain('"home"');
  expect(await value('job_duration_seconds_count{job_id="mail"}')).toBe(1);
  expect(await value('job_duration_seconds_count{job_id="new"}')).toBe(0);
  emitRun(events, { runId: "r2", at: 0, jobs: [{ id: "home" }] });
  expect(await scrapeText(metrics)).not.toContain('"home"');
});

test("schedules, the history and the build show", async () => {
  const { events, value } = await start();
  const schedule = "0 3 * * *";
  events.emit("schedule:next", { jobs: ["home", "other"], schedule, last: 3_600_000, next: 7_200_000 });
  events.emit("schedule:missed", { jobs: ["home"], schedule, scheduledFor: 1, ran: false });
  expect(await value('rsyncdirector_next_run_timestamp_seconds{job_id="home"}')).toBe(7200);
  expect(await value('rsyncdirector_last_due_timestamp_seconds{job_id="home"}')).toBe(3600);
  events.emit("schedule:next", { jobs: ["home"], schedule, last: null, next: null });
  expect(await value('rsyncdirector_next_run_timestamp_seconds{job_id="home"}')).toBe(0);
  expect(await value('rsyncdirector_last_due_timestamp_seconds{job_id="home"}')).toBe(3600);
  expect(await value('rsyncdirector_schedule_missed_total{job_id="home"}')).toBe(1);
  expect(await value("rsyncdirector_history_db_ok")).toBe(1);
  events.emit("history:state", { ok: false, detail: "disk full" });
  expect(await value("rsyncdirector_history_db_ok")).toBe(0);
  expect(await value(`rsyncdirector_build_info{version="1.2.3",node="${process.versions.node}"}`)).toBe(1);
  for (const name of ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"]) {
    expect(await value(name)).toBeGreaterThan(0);
  }
});

test("ids that are no plain words cannot break the format or forge a line", async () => {
  const id = 'a"b\\c\nruns_completed_total{rsync_id="x"} 99';
  const { events, metrics } = await start([{ id, actionIds: [id], targetIds: [], blocks: true }]);
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id }] });
  const lines = (await scrapeText(metrics)).split("\n");
  expect(lines.filter((line) => line.startsWith("runs_completed_total"))).toHaveLength(1);
  expect(lines).toContain(
    `job_duration_seconds_count{job_id="a\\"b\\\\c\\nruns_completed_total{rsync_id=\\"x\\"} 99"} 1`,
  );
});

test("after the end nothing is counted", async () => {
  const { events, recorder, value } = await start();
  recorder.stop();
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home" }] });
  expect(await value('runs_completed_total{rsync_id="laptop01"}')).toBe(0);
});

test("two hundred jobs are scraped whole", async () => {
  const jobs = Array.from({ length: 200 }, (_, n) => ({
    id: `job${n}`,
    actionIds: ["a", "b"],
    targetIds: [],
    blocks: true,
  }));
  const { metrics } = await start(jobs);
  await scrapeText(metrics);
  const began = performance.now();
  const text = await scrapeText(metrics);
  console.log(`200 jobs: ${(text.length / 1000).toFixed(0)} kB in ${(performance.now() - began).toFixed(1)} ms`);
  expect(text.match(/^job_duration_seconds_count/gm)).toHaveLength(200);
});
