import { describe, expect, it } from "vitest";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import type { Job } from "../../../src/config/resolved.ts";
import type { JobOutcome, RunCause } from "../../../src/model/run.ts";
import { Dispatcher } from "../../../src/run/dispatcher.ts";
import type { RunJob } from "../../../src/run/job-runner.ts";
import { buildJob } from "../../support/build-job.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const signal: RunCause = { kind: "signal" };
const schedule: RunCause = { kind: "schedule", schedule: "* * * * *", scheduledFor: 0, missed: false };

/** Jobs that end when the test says so, or when they are stopped. */
function setUp(jobs: Job[]) {
  const running = new Map<string, (outcome: JobOutcome) => void>();
  const began: string[] = [];
  const runJob: RunJob = (job, request) =>
    new Promise((resolve) => {
      if (running.has(job.id)) throw new Error(`${job.id} runs twice at once`);
      began.push(job.id);
      const end = (outcome: JobOutcome) => {
        running.delete(job.id);
        resolve({ jobId: job.id, outcome, startedAt: 0, finishedAt: 0 });
      };
      running.set(job.id, end);
      request.signal.addEventListener("abort", () => {
        const { kind, message } = abortReasonOf(request.signal);
        end({ kind: "cancelled", reason: kind, message });
      });
    });
  const events = new EventLog();
  const deps = { jobs: new Map(jobs.map((job) => [job.id, job])), runJob, events, clock: new FakeClock() };
  const dispatcher = new Dispatcher(deps);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    dispatcher,
    events,
    began,
    runningJobs: () => [...running.keys()],
    finish: async (jobId: string, outcome: JobOutcome = { kind: "ok" }) => {
      await settle();
      const end = running.get(jobId);
      if (end === undefined) throw new Error(`${jobId} does not run`);
      end(outcome);
      await settle();
    },
  };
}

const jobs = [buildJob({ id: "a" }), buildJob({ id: "b" }), buildJob({ id: "off", enabled: false })];

describe("dispatcher", () => {
  it("runs the jobs of a request one after the other, also after a failure, and reports the worst", async () => {
    const test = setUp(jobs);
    const { result, runId } = test.dispatcher.submit({ jobs: ["a", "b"], cause: signal });
    expect(test.runningJobs()).toEqual(["a"]);
    await test.finish("a", { kind: "failed", message: "no", actionId: "x" });
    expect(test.runningJobs()).toEqual(["b"]);
    await test.finish("b");
    expect(await result).toMatchObject({ runId, outcome: "failed", jobs: [{ jobId: "a" }, { jobId: "b" }] });
  });

  it("runs once more, and only once, after triggers during a run", async () => {
    const test = setUp(jobs);
    const first = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    const second = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    const third = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    expect(third.runId).toBe(second.runId);
    expect(second.runId).not.toBe(first.runId);
    expect(test.events.of("run:coalesced")).toMatchObject([{ runId: second.runId }]);
    await test.finish("a");
    expect(test.runningJobs()).toEqual(["a"]);
    await test.finish("a");
    expect((await third.result).runId).toBe(second.runId);
    expect(test.began).toEqual(["a", "a"]);
  });

  it("lets a job go as soon as it has ended, though its run goes on", async () => {
    const test = setUp(jobs);
    test.dispatcher.submit({ jobs: ["a", "b"], cause: signal });
    test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    await test.finish("a");
    expect(test.runningJobs().toSorted()).toEqual(["a", "b"]);
  });

  it("skips a scheduled job that still runs when its concurrency is forbid, and says so", async () => {
    const test = setUp([buildJob({ id: "a", concurrency: "forbid" }), buildJob({ id: "b" })]);
    test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    const { result } = test.dispatcher.submit({ jobs: ["a", "b"], cause: schedule });
    await test.finish("b");
    const { jobs: results } = await result;
    expect(results.map(({ jobId, outcome }) => [jobId, outcome.kind])).toEqual([
      ["a", "skipped"],
      ["b", "ok"],
    ]);
    expect(test.began).toEqual(["a", "b"]);
  });

  it("keeps a person's request for a forbid job until the job is free", async () => {
    const test = setUp([buildJob({ id: "a", concurrency: "forbid" })]);
    test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    const { result } = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    await test.finish("a");
    await test.finish("a");
    expect((await result).outcome).toBe("ok");
  });

  it("does not let a scheduled forbid job join a run that waits, but skips it", async () => {
    const test = setUp([buildJob({ id: "a", concurrency: "forbid" })]);
    test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    const waiting = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    const scheduled = test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    expect(scheduled.runId).not.toBe(waiting.runId);
    expect((await scheduled.result).jobs[0]?.outcome).toMatchObject({ kind: "skipped", cause: "already-running" });
    expect(test.events.of("run:coalesced")).toEqual([]);
  });

  it("stops the running job for a newer request when its concurrency is replace", async () => {
    const test = setUp([buildJob({ id: "a", concurrency: "replace" })]);
    const first = test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    const second = test.dispatcher.submit({ jobs: ["a"], cause: schedule });
    expect((await first.result).jobs[0]?.outcome).toMatchObject({ kind: "cancelled", reason: "replaced" });
    await test.finish("a");
    expect((await second.result).outcome).toBe("ok");
  });

  it("replaces the running job also when a run for it waits already", async () => {
    const test = setUp([buildJob({ id: "x" }), buildJob({ id: "j", concurrency: "replace" })]);
    const first = test.dispatcher.submit({ jobs: ["x", "j"], cause: schedule });
    const waiting = test.dispatcher.submit({ jobs: ["x", "j"], cause: schedule });
    await test.finish("x");
    const again = test.dispatcher.submit({ jobs: ["j"], cause: schedule });
    expect(again.runId).toBe(waiting.runId);
    expect((await first.result).jobs[1]?.outcome).toMatchObject({ kind: "cancelled", reason: "replaced" });
  });

  it("leaves another job of the run alone when the one to replace has not begun", async () => {
    const test = setUp([buildJob({ id: "x" }), buildJob({ id: "j", concurrency: "replace" })]);
    const first = test.dispatcher.submit({ jobs: ["x", "j"], cause: schedule });
    test.dispatcher.submit({ jobs: ["j"], cause: schedule });
    expect(test.runningJobs()).toEqual(["x"]);
    await test.finish("x");
    await test.finish("j");
    expect((await first.result).jobs.map((job) => job.outcome.kind)).toEqual(["ok", "ok"]);
  });

  it("reports a disabled and an unknown job instead of running it", async () => {
    const test = setUp(jobs);
    const { result } = test.dispatcher.submit({ jobs: ["off", "nowhere"], cause: signal });
    const { jobs: results } = await result;
    expect(results[0]?.outcome).toMatchObject({ kind: "skipped", cause: "disabled" });
    expect(results[1]?.outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("nowhere") });
    expect(test.began).toEqual([]);
  });

  it("stops what runs and cancels what waits, with the first reason, and accepts nothing afterwards", async () => {
    const test = setUp(jobs);
    const active = test.dispatcher.submit({ jobs: ["a", "b"], cause: signal });
    const waiting = test.dispatcher.submit({ jobs: ["a"], cause: signal });
    await test.dispatcher.stop(new AbortReason("shutdown", "the director stops"));
    expect((await active.result).jobs.map((job) => job.outcome.kind)).toEqual(["cancelled", "cancelled"]);
    expect((await waiting.result).outcome).toBe("cancelled");
    const late = await test.dispatcher.submit({ jobs: ["b"], cause: signal }).result;
    expect(late.jobs[0]?.outcome).toMatchObject({ kind: "cancelled", reason: "shutdown" });
    expect(test.began).toEqual(["a"]);
    expect(test.events.of("run:finished")).toHaveLength(3);
  });
});
