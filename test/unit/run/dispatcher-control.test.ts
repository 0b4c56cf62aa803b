import { expect, it } from "vitest";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import type { RunCause } from "../../../src/model/run.ts";
import { Dispatcher } from "../../../src/run/dispatcher.ts";
import { JobBook } from "../../../src/run/job-book.ts";
import type { RunJob } from "../../../src/run/job-runner.ts";
import { buildJob } from "../../support/build-job.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const cause: RunCause = { kind: "signal" };
const byAnna = new AbortReason("cancelled", "anna cancelled it");
const cancelled = { kind: "cancelled", reason: "cancelled", message: "anna cancelled it" };

/** Jobs that run until they are stopped or `finish` says so, and give their locks back a moment later. */
function setUp(whyPaused?: (jobId: string) => string | undefined) {
  const began: string[] = [];
  const endings = new Map<string, () => void>();
  const freed: string[] = [];
  const runJob: RunJob = async (job, { signal }) => {
    began.push(`${job.id} ${job.holdDir}`);
    await new Promise<void>((resolve) => {
      endings.set(job.id, resolve);
      signal.addEventListener("abort", () => resolve());
    });
    await new Promise((resolve) => setImmediate(resolve));
    freed.push(job.id);
    const { kind, message } = signal.aborted ? abortReasonOf(signal) : { kind: "cancelled" as const, message: "" };
    const outcome = signal.aborted ? ({ kind: "cancelled", reason: kind, message } as const) : { kind: "ok" as const };
    return { jobId: job.id, outcome, startedAt: 0, finishedAt: 0 };
  };
  const jobs = new JobBook(["a", "b"].map((id) => buildJob({ id, holdDir: "/old" })));
  const events = new EventLog();
  const dispatcher = new Dispatcher({ jobs, runJob, whyPaused, events, clock: new FakeClock() });
  return { dispatcher, events, jobs, began, freed, finish: (id: string) => endings.get(id)?.() };
}

it("cancels a run that goes on: its job is stopped, the others are reported, and its locks are free by then", async () => {
  const { dispatcher, began, freed } = setUp();
  const { runId } = dispatcher.submit({ jobs: ["a", "b"], cause });
  const result = await dispatcher.cancelRun(runId, byAnna);
  expect(freed).toEqual(["a"]);
  expect(result).toMatchObject({ runId, outcome: "cancelled", jobs: [{ outcome: cancelled }, { outcome: cancelled }] });
  expect(began).toEqual(["a /old"]);
  expect(dispatcher.cancelRun(runId, byAnna)).toBeUndefined();
});

it("cancels a run that waits, without a word to the one that goes on", async () => {
  const { dispatcher, events, began, finish } = setUp();
  const first = dispatcher.submit({ jobs: ["a"], cause });
  const waiting = dispatcher.submit({ jobs: ["a", "b"], cause });
  const behind = dispatcher.submit({ jobs: ["b"], cause: { kind: "request", by: "bert" } });
  expect(behind.runId).toBe(waiting.runId);
  const result = await dispatcher.cancelRun(waiting.runId, byAnna);
  expect(result?.jobs.map(({ outcome }) => outcome)).toEqual([cancelled, cancelled]);
  expect(events.of("run:finished").map(({ runId }) => runId)).toEqual([waiting.runId]);
  // What it had reserved is free again.
  dispatcher.submit({ jobs: ["b"], cause });
  expect(began).toEqual(["a /old", "b /old"]);
  finish("a");
  expect(await first.result).toMatchObject({ outcome: "ok" });
});

it("skips a paused job whoever asks, and says why", async () => {
  const { dispatcher, began, finish } = setUp((jobId) => (jobId === "a" ? "paused by anna" : undefined));
  const { result } = dispatcher.submit({ jobs: ["a", "b"], cause });
  await new Promise((resolve) => setImmediate(resolve));
  finish("b");
  expect((await result).jobs.map(({ outcome }) => outcome)).toEqual([
    { kind: "skipped", cause: "paused", message: "paused by anna" },
    { kind: "ok" },
  ]);
  expect(began).toEqual(["b /old"]);
});

it("begins each job as the configuration has it when its turn comes", async () => {
  const { dispatcher, jobs, began, finish } = setUp();
  const running = dispatcher.submit({ jobs: ["a"], cause });
  const waiting = dispatcher.submit({ jobs: ["a", "b"], cause });
  jobs.replace([buildJob({ id: "a", holdDir: "/new" })]);
  finish("a");
  await running.result;
  await new Promise((resolve) => setImmediate(resolve));
  expect(began).toEqual(["a /old", "a /new"]);
  finish("a");
  const message = 'the configuration has no job "b" any more';
  expect((await waiting.result).jobs[1]?.outcome).toEqual({ kind: "cancelled", reason: "cancelled", message });
});
