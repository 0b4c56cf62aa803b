import { type AbortReason, abortReasonOf, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Job } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import { type JobOutcome, type JobResult, type RunResult, type SkipCause, worstOutcome } from "../model/run.ts";
import type { RunJob } from "./job-runner.ts";
import type { QueuedRun } from "./run-queue.ts";

export interface RunExecutorDeps {
  jobs: KnownJobs;
  /** Says, for people, why a job is paused; undefined: it is not. */
  whyPaused?: ((jobId: string) => string | undefined) | undefined;
  runJob: RunJob;
  events: Emitter<DirectorEvents>;
  clock: Clock;
}

/** The jobs of the configuration that is in use just now; each job of a run is looked up when its turn comes. */
export interface KnownJobs {
  get(jobId: string): Job | undefined;
  /** An earlier configuration had it. */
  hasLeft?(jobId: string): boolean;
}

/** One run in progress. */
export interface ActiveRun {
  readonly result: Promise<RunResult>;
  /** Stops one job if it is the one that runs now; the run goes on with the next. */
  cancelJob(jobId: string, reason: AbortReason): void;
  /** Stops the job that runs now, and begins no other. */
  cancel(reason: AbortReason): void;
}

/**
 * Runs the jobs of one request in their order. A job that fails does not keep the next from running;
 * a cancelled run reports the jobs it never began as cancelled, so that none goes missing.
 */
export function executeRun(
  deps: RunExecutorDeps,
  run: QueuedRun,
  options: {
    dryRun: boolean;
    shutdown: AbortSignal;
    onJobFinished: (jobId: string) => void;
    /** It was cancelled before it began. */
    cancelled?: AbortReason | undefined;
  },
): ActiveRun {
  const { dryRun, shutdown, cancelled } = options;
  const controller = childController(shutdown);
  if (cancelled !== undefined) controller.abort(cancelled);
  let current: { jobId: string; controller: AbortController } | undefined;

  const runOne = async (jobId: string): Promise<JobResult> => {
    const { runId } = run;
    const job = deps.jobs.get(jobId);
    const skip = skipCause(deps, run, jobId, job);
    if (skip !== undefined) return withoutRunning(deps, runId, jobId, skip);
    if (controller.signal.aborted) return withoutRunning(deps, runId, jobId, cancelledBefore(controller.signal));
    const child = childController(controller.signal);
    current = { jobId, controller: child };
    try {
      const { cause } = run.request;
      return await deps.runJob(job as Job, { runId, cause, signal: child.signal, shutdown, dryRun });
    } finally {
      child.dispose();
      current = undefined;
    }
  };

  const runAll = async (): Promise<RunResult> => {
    const { runId, request } = run;
    const startedAt = deps.clock.now();
    deps.events.emit("run:started", { runId, jobs: request.jobs, cause: request.cause, at: startedAt });
    const jobs: JobResult[] = [];
    for (const jobId of request.jobs) {
      jobs.push(await runOne(jobId));
      options.onJobFinished(jobId);
    }
    const outcome = worstOutcome(jobs.map((job) => job.outcome.kind));
    const result = { runId, cause: request.cause, startedAt, finishedAt: deps.clock.now(), outcome, jobs };
    controller.dispose();
    deps.events.emit("run:finished", result);
    return result;
  };

  return {
    result: runAll(),
    cancelJob: (jobId, reason) => {
      if (current?.jobId === jobId) current.controller.abort(reason);
    },
    cancel: (reason) => controller.abort(reason),
  };
}

function skipCause(
  { jobs, whyPaused }: RunExecutorDeps,
  run: QueuedRun,
  jobId: string,
  job: Job | undefined,
): JobOutcome | undefined {
  if (!run.needs.has(jobId)) return skipped("already-running", "the job is still running (concurrency: forbid)");
  if (job === undefined) return withoutJob(jobId, jobs.hasLeft?.(jobId) === true);
  if (!job.enabled) return skipped("disabled", "the job is disabled (enabled: false)");
  const pause = whyPaused?.(jobId);
  return pause === undefined ? undefined : skipped("paused", pause);
}

/** Nothing is wrong with a job that a newer configuration does not have any more. */
function withoutJob(jobId: string, hasLeft: boolean): JobOutcome {
  if (!hasLeft) return { kind: "failed", message: `there is no job "${jobId}"`, actionId: null };
  return { kind: "cancelled", reason: "cancelled", message: `the configuration has no job "${jobId}" any more` };
}

function skipped(cause: SkipCause, message: string): JobOutcome {
  return { kind: "skipped", cause, message };
}

function cancelledBefore(signal: AbortSignal): JobOutcome {
  const { kind, message } = abortReasonOf(signal);
  return { kind: "cancelled", reason: kind, message };
}

function withoutRunning(deps: RunExecutorDeps, runId: string, jobId: string, outcome: JobOutcome): JobResult {
  const at = deps.clock.now();
  deps.events.emit("job:finished", { runId, jobId, outcome, startedAt: at, at });
  return { jobId, outcome, startedAt: at, finishedAt: at };
}
