import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openHistory, readHistory, type History } from "../../../src/store/open-history.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { emitRun, emitRunStart, newEvents, noStats, report } from "../../support/history-samples.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const opened: History[] = [];
afterEach(() => opened.splice(0).forEach((history) => history.close()));

const copy = { actionId: "copy", targetId: "", attempt: 1 };

async function start(file?: string, retention = { keepRuns: 100, keepMs: 90 * 86_400_000 }) {
  const events = newEvents();
  const clock = new FakeClock();
  const log = createMemoryLog();
  const path = file ?? join(await makeTempDir(), "state", "history-test.db");
  const history = await openHistory({ file: path, retention, events, clock, log });
  opened.push(history);
  return { events, clock, log, history, file: path };
}

test("a run with its jobs and actions can be read back whole", async () => {
  const { events, history } = await start();
  const stats = { ...noStats, filesTransferred: 3, transferredBytes: 2048, filesDeleted: 1 };
  const failed = {
    kind: "failed",
    cause: "exit",
    message: "exit code 23",
    retryable: true,
    report: report({ exitCode: 23, argv: ["rsync", "--password=x", "/a b/"], output: "one\ntwo\0 \u{1F600}\n", stats }),
  } as const;
  emitRun(events, {
    runId: "20260301-000000-aaaaaa",
    at: 1000,
    cause: { kind: "schedule", schedule: "0 3 * * *", scheduledFor: 900, missed: true },
    jobs: [
      {
        id: "home",
        action: failed,
        outcome: { kind: "failed", message: "copy: exit code 23", actionId: "copy" },
        waitedMs: 40,
      },
      { id: "mail" },
    ],
  });
  const run = history.query((ask) => ask.readRun("20260301-000000-aaaaaa"));
  expect(run).toMatchObject({
    cause: { kind: "schedule", schedule: "0 3 * * *", scheduledFor: 900, missed: true },
    outcome: "failed",
    startedAt: 1000,
    finishedAt: 1200,
    transferredBytes: 2048,
    requestedJobs: ["home", "mail"],
  });
  expect(run?.jobs.map(({ jobId, outcome }) => [jobId, outcome])).toEqual([
    ["home", "failed"],
    ["mail", "ok"],
  ]);
  expect(run?.jobs[0]).toMatchObject({ failedAction: "copy", message: "copy: exit code 23", waitedMs: 40 });
  expect(run?.jobs[0]?.actions).toEqual([
    {
      actionId: "copy",
      targetId: "",
      attempt: 1,
      startedAt: 1000,
      finishedAt: 1050,
      outcome: "failed",
      reason: "exit",
      message: "exit code 23",
      argv: ["rsync", "--password=[redacted]", "/a b/"],
      exitCode: 23,
      signal: null,
      stats,
      hasOutput: true,
    },
  ]);
  const output = history.query((ask) => ask.readOutput("20260301-000000-aaaaaa", "home", copy));
  expect(output).toBe("one\ntwo\0 \u{1F600}\n");
});

test("keeps the last MiB of an output, and not its secrets", async () => {
  const { events, history } = await start();
  const output = `${"begin ".repeat(400_000)}https://u:pw@host END`;
  emitRun(events, { runId: "r1", at: 1, jobs: [{ id: "a", action: { kind: "ok", report: report({ output }) } }] });
  const kept = history.query((ask) => ask.readOutput("r1", "a", copy)) ?? "";
  expect(Buffer.byteLength(kept)).toBe(1024 * 1024);
  expect(kept.endsWith("https://u:[redacted]@host END")).toBe(true);
});

test("every try of an action is kept", async () => {
  const { events, history } = await start();
  emitRunStart(events, { runId: "r1", at: 1, jobs: [{ id: "a" }] });
  events.emit("job:started", { runId: "r1", jobId: "a", at: 1 });
  for (const attempt of [1, 2]) {
    const outcome = { kind: "ok", report: report({ exitCode: attempt }) } as const;
    const of = { runId: "r1", jobId: "a", actionId: "x", targetId: "", attempt };
    events.emit("action:finished", { ...of, outcome, startedAt: 1, at: 2 });
  }
  const run = history.query((ask) => ask.readRun("r1"));
  expect(run?.jobs[0]?.actions.map(({ attempt, exitCode }) => [attempt, exitCode])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test("lists newest first, and by job, failure, time and count", async () => {
  const { events, history } = await start();
  const failed = { kind: "failed", message: "no", actionId: null } as const;
  emitRun(events, { runId: "r1", at: 1000, jobs: [{ id: "a" }, { id: "b" }] });
  emitRun(events, { runId: "r2", at: 2000, jobs: [{ id: "a" }, { id: "b", outcome: failed }] });
  emitRun(events, { runId: "r3", at: 3000, jobs: [{ id: "a", outcome: { kind: "warning", message: "24" } }] });
  const list = (filter: object) =>
    history.query((ask) => ask.listRuns({ limit: 10, ...filter }))?.map(({ runId }) => runId);
  expect(list({})).toEqual(["r3", "r2", "r1"]);
  expect(list({ limit: 2 })).toEqual(["r3", "r2"]);
  expect(list({ since: 2000 })).toEqual(["r3", "r2"]);
  expect(list({ jobId: "b" })).toEqual(["r2", "r1"]);
  expect(list({ withoutSuccess: true })).toEqual(["r2"]);
  expect(list({ jobId: "a", withoutSuccess: true })).toEqual([]);
  expect(list({ jobId: "b", withoutSuccess: true, since: 2001 })).toEqual([]);
});

test("finds runs by the beginning of their id, and not by its wildcards", async () => {
  const { events, history } = await start();
  for (const runId of ["20260301-01", "20260301-02", "20260302-01"])
    emitRun(events, { runId, at: 1, jobs: [{ id: "a" }] });
  const find = (prefix: string) => history.query((ask) => ask.findRunIds(prefix, 10));
  expect(find("20260301")).toEqual(["20260301-02", "20260301-01"]);
  expect(find("20260302-01")).toEqual(["20260302-01"]);
  expect(find("%")).toEqual([]);
});

test("remembers each job's last result and last success, also after its runs are gone", async () => {
  const { events, clock, history, file } = await start(undefined, { keepRuns: 1, keepMs: 90 * 86_400_000 });
  const failed = { kind: "failed", message: "no", actionId: null } as const;
  const running = { kind: "skipped", cause: "already-running", message: "runs" } as const;
  const now = clock.now();
  emitRun(events, { runId: "r1", at: now, jobs: [{ id: "a" }, { id: "b" }] });
  emitRun(events, {
    runId: "r2",
    at: now + 1000,
    jobs: [
      { id: "a", outcome: failed },
      { id: "b", outcome: running },
    ],
  });
  await clock.advance(5000);
  expect(history.query((ask) => ask.listRuns({ limit: 10 }))).toHaveLength(1);
  history.close();
  const again = await start(file);
  expect(again.history.lastJobResults()).toEqual([
    { jobId: "a", targetId: "", outcome: "failed", finishedAt: now + 1100, lastSuccessAt: now + 100 },
    { jobId: "b", targetId: "", outcome: "ok", finishedAt: now + 100, lastSuccessAt: now + 100 },
  ]);
});

test("a run that is under way is shown as running", async () => {
  const { events, history } = await start();
  emitRunStart(events, { runId: "r1", at: 1, jobs: [{ id: "a" }] });
  events.emit("job:started", { runId: "r1", jobId: "a", at: 1 });
  const run = history.query((ask) => ask.readRun("r1"));
  expect(run).toMatchObject({ outcome: "running", finishedAt: null, jobs: [{ jobId: "a", outcome: "running" }] });
});

test("that a run began is on disk a moment later, so that its first program need not wait for the disk", async () => {
  const { events, clock, file } = await start();
  const reader = await readHistory(file);
  emitRunStart(events, { runId: "r1", at: 1, jobs: [{ id: "a" }] });
  expect(reader?.listRuns({ limit: 1 })).toEqual([]);
  await clock.advance(50);
  expect(reader?.listRuns({ limit: 1 })).toMatchObject([{ runId: "r1", outcome: "running" }]);
  emitRunStart(events, { runId: "r2", at: 2, jobs: [{ id: "b" }] });
  await clock.advance(50);
  expect(reader?.listRuns({ limit: 1 })).toMatchObject([{ runId: "r2", outcome: "running" }]);
  reader?.close();
});

test("another process reads while this one writes", async () => {
  const { events, file } = await start();
  expect(await readHistory(`${file}-none`)).toBeUndefined();
  const reader = await readHistory(file);
  for (let number = 1; number <= 50; number += 1) {
    emitRun(events, { runId: `r${number}`, at: number, jobs: [{ id: "a" }] });
    expect(reader?.listRuns({ limit: 1 })[0]).toMatchObject({ runId: `r${number}`, outcome: "ok" });
  }
  reader?.close();
});

test("keeps the tries for each target apart, and each target's last result beside the job's", async () => {
  const { events, history, file, clock } = await start();
  const now = clock.now();
  emitRunStart(events, { runId: "r1", at: now, jobs: [{ id: "a" }] });
  events.emit("job:started", { runId: "r1", jobId: "a", at: now });
  for (const targetId of ["near", "far"]) {
    const of = { runId: "r1", jobId: "a", actionId: "x", targetId, attempt: 1 };
    const outcome = { kind: "ok", report: report({ argv: ["to", targetId], output: `${targetId} says\n` }) } as const;
    events.emit("action:finished", { ...of, outcome, startedAt: now, at: now });
  }
  const target = { runId: "r1", jobId: "a", at: now + 1 };
  events.emit("target:result", { ...target, targetId: "near", outcome: { kind: "ok" } });
  events.emit("target:result", { ...target, targetId: "far", outcome: { kind: "failed", message: "down" } });
  const run = history.query((ask) => ask.readRun("r1"));
  expect(run?.jobs[0]?.actions.map(({ targetId, argv }) => [targetId, argv[1]])).toEqual([
    ["near", "near"],
    ["far", "far"],
  ]);
  const far = { actionId: "x", targetId: "far", attempt: 1 };
  expect(history.query((ask) => ask.readOutput("r1", "a", far))).toBe("far says\n");
  history.close();
  const again = await start(file);
  expect(again.history.lastJobResults()).toEqual([
    { jobId: "a", targetId: "far", outcome: "failed", finishedAt: now + 1, lastSuccessAt: null },
    { jobId: "a", targetId: "near", outcome: "ok", finishedAt: now + 1, lastSuccessAt: now + 1 },
  ]);
});

test("knows when the run that was recorded last began, also where an earlier one has a later time", async () => {
  const { events, history } = await start();
  expect(history.lastRunAt()).toBeNull();
  emitRun(events, { runId: "r1", at: 9000, jobs: [{ id: "a" }] });
  emitRun(events, { runId: "r2", at: 1000, jobs: [{ id: "a" }] });
  expect(history.lastRunAt()).toBe(1000);
});
