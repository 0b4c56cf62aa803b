import { type AbortReason, abortReasonOf, childController, sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Action, Block, Job, Target } from "../config/resolved.ts";
import type { RunAction } from "../action/action.ts";
import type { GuardedHold, GuardedLocks } from "../lock/hold/hold-locks.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome, JobResult } from "../model/run.ts";
import { awaitWriters } from "./await-writers.ts";
import { armJobDeadlines } from "./job-deadlines.ts";
import { retryDelay } from "./retry-policy.ts";

export interface JobRunnerDeps {
  locks: GuardedLocks;
  runAction: RunAction;
  /** Remembers processes and says later which of them still run. */
  trackProcesses: (pids: readonly number[]) => () => readonly number[];
  events: Emitter<DirectorEvents>;
  clock: Clock;
  log: Logger;
}

export interface JobRequest {
  runId: string;
  /** Stops the job; its first reason stays its reason. */
  signal: AbortSignal;
  /** The director itself stops: nothing may wait for long any more. */
  shutdown: AbortSignal;
  /** Takes no locks and passes `-n` to rsync. */
  dryRun: boolean;
}

export type RunJob = (job: Job, request: JobRequest) => Promise<JobResult>;

/**
 * One job from its first look at the locks to the release of its own: wait for `blocks_on`, hold the
 * lock files, run the actions in order, free the locks whatever happened. It never rejects.
 */
export function createJobRunner(deps: JobRunnerDeps): RunJob {
  return async (job, request) => {
    const { clock, events } = deps;
    const { runId } = request;
    const jobId = job.id;
    const startedAt = clock.now();
    events.emit("job:started", { runId, jobId, at: startedAt });
    const controller = childController(request.signal);
    const disarm = armJobDeadlines(job, {
      controller,
      clock,
      onSlow: (runningMs) => events.emit("job:slow", { runId, jobId, runningMs, at: clock.now() }),
    });
    let outcome: JobOutcome;
    try {
      outcome = await runLocked(deps, job, { ...request, signal: controller.signal });
    } catch (error) {
      deps.log.error({ run: runId, job: jobId, error: describeError(error), stack: stackOf(error) }, "job crashed");
      outcome = { kind: "failed", message: `internal error: ${describeError(error)}`, actionId: null };
    } finally {
      disarm();
      controller.dispose();
    }
    const finishedAt = clock.now();
    events.emit("job:finished", { runId, jobId, outcome, startedAt, at: finishedAt });
    return { jobId, outcome, startedAt, finishedAt };
  };
}

async function runLocked(deps: JobRunnerDeps, job: Job, request: JobRequest): Promise<JobOutcome> {
  if (request.dryRun) return runActions(deps, job, request);
  const claim = await deps.locks.claim({ job, runId: request.runId, signal: request.signal });
  switch (claim.kind) {
    case "held":
      return runHolding(deps, job, request, claim.held);
    case "timeout":
      return blockTimeout(claim.block, claim.message);
    case "cancelled":
      return cancelledOutcome(claim.reason);
    case "failed":
      return { kind: "failed", message: claim.message, actionId: null };
  }
}

/** The locks are freed on every path; losing one stops the work like any other reason does. */
async function runHolding(deps: JobRunnerDeps, job: Job, request: JobRequest, held: GuardedHold): Promise<JobOutcome> {
  const survivors: number[] = [];
  let atDestination = false;
  const onOutcome = (action: Action, { report }: ActionOutcome) => {
    survivors.push(...(report?.survivors ?? []));
    atDestination ||= action.kind === "sync" && report !== null && report.turnedAway !== true;
  };
  const controller = childController(request.signal);
  const onLost = () => controller.abort(held.lost.reason);
  if (held.lost.aborted) onLost();
  else held.lost.addEventListener("abort", onLost, { once: true });
  const [work] = await Promise.allSettled([
    runActions(deps, job, { ...request, signal: controller.signal, held, onOutcome }),
  ]);
  held.lost.removeEventListener("abort", onLost);
  controller.dispose();
  const log = deps.log.child({ run: request.runId, job: job.id });
  const writersGone = { shutdown: request.shutdown, clock: deps.clock, log };
  const living = await awaitWriters(deps.trackProcesses(survivors), writersGone);
  // After a crash of the work nobody knows what it has started.
  const mayWrite = atDestination || work.status === "rejected";
  const troubles = await held.release({ survivors: living, atDestination: mayWrite });
  if (work.status === "rejected") throw work.reason;
  const outcome = troubles.length === 0 ? work.value : withTroubles(work.value, troubles);
  return held.lost.aborted ? withLostLock(outcome, abortReasonOf(held.lost)) : outcome;
}

/** The copies are what they are; but a lock left behind is no clean end. */
function withTroubles(outcome: JobOutcome, troubles: readonly string[]): JobOutcome {
  if (outcome.kind !== "ok" && outcome.kind !== "warning") return outcome;
  const before = outcome.kind === "warning" ? [outcome.message] : [];
  return { kind: "warning", message: [...before, ...troubles].join("; ") };
}

/** Whatever the actions say: without the lock somebody else may have written at the same time. */
function withLostLock(outcome: JobOutcome, reason: AbortReason): JobOutcome {
  return outcome.kind === "ok" || outcome.kind === "warning" ? cancelledOutcome(reason) : outcome;
}

/** Actions of a job that holds its locks; a dry run holds nothing. */
interface WorkRequest extends JobRequest {
  held?: GuardedHold;
  onOutcome?: (action: Action, outcome: ActionOutcome) => void;
}

async function runActions(deps: JobRunnerDeps, job: Job, request: WorkRequest): Promise<JobOutcome> {
  const warnings: string[] = [];
  for (const action of job.actions) {
    // An action that finished before the signal came has finished; the next one must not begin.
    if (request.signal.aborted) return cancelledOutcome(abortReasonOf(request.signal));
    const outcome = await runWithRetries(deps, job, action, request);
    switch (outcome.kind) {
      case "ok":
        break;
      case "warning":
        warnings.push(`${action.id}: ${outcome.message}`);
        break;
      case "failed":
        return { kind: "failed", message: `${action.id}: ${outcome.message}`, actionId: action.id };
      case "cancelled":
        return cancelledOutcome(abortReasonOf(request.signal));
    }
  }
  return warnings.length === 0 ? { kind: "ok" } : { kind: "warning", message: warnings.join("; ") };
}

async function runWithRetries(
  deps: JobRunnerDeps,
  job: Job,
  action: Action,
  request: WorkRequest,
): Promise<ActionOutcome> {
  const { clock, events } = deps;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await runOnce(deps, job, action, request, attempt);
    const delayMs = retryDelay(outcome, attempt, job.retry);
    if (delayMs === null || outcome.kind !== "failed") return outcome;
    const { runId } = request;
    const { message } = outcome;
    events.emit("action:retrying", {
      runId,
      jobId: job.id,
      actionId: action.id,
      attempt,
      delayMs,
      message,
      at: clock.now(),
    });
    if (!(await sleep(delayMs, { signal: request.signal, clock }))) {
      const reason = abortReasonOf(request.signal);
      return { kind: "cancelled", reason: reason.kind, message: reason.message, report: outcome.report };
    }
  }
}

async function runOnce(
  deps: JobRunnerDeps,
  job: Job,
  action: Action,
  request: WorkRequest,
  attempt: number,
): Promise<ActionOutcome> {
  const { clock, events } = deps;
  const { runId, signal, dryRun, held } = request;
  const of = { runId, jobId: job.id, actionId: action.id, attempt };
  const startedAt = clock.now();
  const outcome = await deps.runAction(job, action, {
    runId,
    jobId: job.id,
    target: job.targets[0] as Target,
    scope: { kind: "full", reason: "" },
    attempt,
    signal,
    dryRun,
    log: deps.log.child({ run: runId, job: job.id, action: action.id }),
    holds: held?.fencing.kind === "fenced" ? held.fencing.holds : [],
    onSpawned: (pid) => held?.spawned(pid),
    onStarted: (argv) => events.emit("action:started", { ...of, argv, at: clock.now() }),
    onOutput: (stream, line) => events.emit("action:output", { ...of, stream, line }),
    onProgress: (progress) => events.emit("action:progress", { ...of, progress }),
  });
  request.onOutcome?.(action, outcome);
  events.emit("action:finished", { ...of, outcome, startedAt, at: clock.now() });
  return outcome;
}

function blockTimeout(block: Block, message: string): JobOutcome {
  return block.onTimeout === "fail"
    ? { kind: "failed", message, actionId: null }
    : { kind: "skipped", cause: "block-timeout", message };
}

/** A job that ran out of time, or lost its lock, has failed; one that somebody stopped was cancelled. */
function cancelledOutcome(reason: AbortReason): JobOutcome {
  switch (reason.kind) {
    case "timed-out":
    case "stalled":
    case "lock-lost":
      return { kind: "failed", message: reason.message, actionId: null };
    case "shutdown":
    case "cancelled":
    case "replaced":
      return { kind: "cancelled", reason: reason.kind, message: reason.message };
  }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
