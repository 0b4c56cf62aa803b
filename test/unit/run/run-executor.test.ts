import { expect, it } from "vitest";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import type { JobOutcome } from "../../../src/model/run.ts";
import type { RunJob } from "../../../src/run/job-runner.ts";
import { executeRun } from "../../../src/run/run-executor.ts";
import { buildJob } from "../../support/build-job.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A run of the jobs a and b that end when the test says so, or when they are stopped. */
function setUp() {
  const running = new Map<string, (outcome: JobOutcome) => void>();
  const runJob: RunJob = (job, { signal }) =>
    new Promise((resolve) => {
      const end = (outcome: JobOutcome) => {
        running.delete(job.id);
        resolve({ jobId: job.id, outcome, startedAt: 0, finishedAt: 0 });
      };
      running.set(job.id, end);
      signal.addEventListener("abort", () => {
        const { kind, message } = abortReasonOf(signal);
        end({ kind: "cancelled", reason: kind, message });
      });
    });
  const jobs = new Map(["a", "b"].map((id) => [id, buildJob({ id })]));
  const ended: string[] = [];
  const run = executeRun(
    { jobs, runJob, events: new EventLog(), clock: new FakeClock() },
    { runId: "run", request: { jobs: ["a", "b"], cause: { kind: "signal" } }, needs: new Set(["a", "b"]) },
    { dryRun: false, shutdown: new AbortController().signal, onJobFinished: (jobId) => void ended.push(jobId) },
  );
  const finish = async (jobId: string) => {
    running.get(jobId)?.({ kind: "ok" });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { run, finish, ended, runningJobs: () => [...running.keys()] };
}

const replaced = new AbortReason("replaced", "a newer request");

it("cancels the job that runs and goes on with the next", async () => {
  const { run, finish, runningJobs } = setUp();
  run.cancelJob("a", replaced);
  await new Promise((resolve) => setImmediate(resolve));
  expect(runningJobs()).toEqual(["b"]);
  await finish("b");
  expect((await run.result).jobs.map((job) => job.outcome.kind)).toEqual(["cancelled", "ok"]);
});

it("cancels no job but the one that runs", async () => {
  const { run, finish, ended } = setUp();
  run.cancelJob("b", replaced);
  await finish("a");
  expect(ended).toEqual(["a"]);
  run.cancelJob("a", replaced);
  await finish("b");
  expect((await run.result).jobs.map((job) => job.outcome.kind)).toEqual(["ok", "ok"]);
});
