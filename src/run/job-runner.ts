import { abortReasonOf, childController } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Job } from "../config/resolved.ts";
import type { RunAction } from "../action/action.ts";
import type { GuardedHold, GuardedLocks } from "../lock/hold/hold-locks.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome, JobResult, RunCause } from "../model/run.ts";
import { awaitWriters } from "./await-writers.ts";
import type { ChangesFeed } from "../model/changes.ts";
import { type HookDeps, runBlockedHooks, runEndHooks, withHooks } from "./run-hooks.ts";
import { armJobDeadlines } from "./job-deadlines.ts";
import { blockTimeout, cancelledOutcome, withLostLock, withTroubles } from "./job-outcomes.ts";
import { runActions } from "./run-actions.ts";
import type { Work } from "./try-action.ts";

export interface JobRunnerDeps extends HookDeps {
  locks: GuardedLocks;
  runAction: RunAction;
  /** What watched jobs still have to carry. */
  feed?: ChangesFeed | undefined;
  /** Remembers processes and says later which of them still run. */
  trackProcesses: (pids: readonly number[]) => () => readonly number[];
  events: Emitter<DirectorEvents>;
  clock: Clock;
  log: Logger;
}

export interface JobRequest {
  runId: string;
  /** Who asked for the run. */
  cause: RunCause;
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
 * lock files, run the actions in order between its hooks, free the locks whatever happened. It never rejects.
 */
export function createJobRunner(given: JobRunnerDeps): RunJob {
  const deps = { ...given, failing: new Map<string, ReadonlySet<string>>() };
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

/** `failing`: by job, the targets that failed the last time. */
type RunnerDeps = JobRunnerDeps & { readonly failing: Map<string, ReadonlySet<string>> };

async function runLocked(deps: RunnerDeps, job: Job, request: JobRequest): Promise<JobOutcome> {
  if (request.dryRun) return runWork(deps, job, request);
  const blockedHooks = runBlockedHooks(deps, job, request);
  try {
    const claim = await deps.locks.claim({ job, runId: request.runId, signal: request.signal });
    // The wait is over, and with it what runs beside it; that it has ended is waited for below.
    void blockedHooks.end().catch(() => undefined);
    if (claim.kind === "held") return await runHolding(deps, job, request, claim.held);
    return await runEndHooks(deps, { job, ...request }, outcomeWithoutLocks(claim));
  } finally {
    await blockedHooks.end();
  }
}

function outcomeWithoutLocks(claim: Exclude<Awaited<ReturnType<GuardedLocks["claim"]>>, { kind: "held" }>): JobOutcome {
  switch (claim.kind) {
    case "timeout":
      return blockTimeout(claim.block, claim.message);
    case "cancelled":
      return cancelledOutcome(claim.reason);
    case "failed":
      return { kind: "failed", message: claim.message, actionId: null };
  }
}

/** The locks are freed on every path; losing one stops the work like any other reason does. */
async function runHolding(deps: RunnerDeps, job: Job, request: JobRequest, held: GuardedHold): Promise<JobOutcome> {
  const survivors: number[] = [];
  const written = new Set<string>();
  const onOutcome: Work["onOutcome"] = ({ action, target }, { report }) => {
    survivors.push(...(report?.survivors ?? []));
    const wasThere = report !== null && report.turnedAway !== true;
    if (action.kind === "sync" && wasThere) written.add(target.id);
  };
  const onHookOutcome = ({ report }: ActionOutcome) => void survivors.push(...(report?.survivors ?? []));
  const controller = childController(request.signal);
  const onLost = () => controller.abort(held.lost.reason);
  if (held.lost.aborted) onLost();
  else held.lost.addEventListener("abort", onLost, { once: true });
  const [work] = await Promise.allSettled([
    runWork(deps, job, { ...request, signal: controller.signal }, { held, onOutcome, onHookOutcome }),
  ]);
  held.lost.removeEventListener("abort", onLost);
  controller.dispose();
  const log = deps.log.child({ run: request.runId, job: job.id });
  const writersGone = { shutdown: request.shutdown, clock: deps.clock, log };
  const living = await awaitWriters(deps.trackProcesses(survivors), writersGone);
  // After a crash of the work nobody knows what it has started.
  const atTargets = work.status === "rejected" ? job.targets.map(({ id }) => id) : [...written];
  const troubles = await held.release({ survivors: living, atTargets });
  if (work.status === "rejected") throw work.reason;
  const outcome = troubles.length === 0 ? work.value : withTroubles(work.value, troubles);
  return held.lost.aborted ? withLostLock(outcome, abortReasonOf(held.lost)) : outcome;
}

async function runWork(
  deps: RunnerDeps,
  job: Job,
  { runId, cause, signal, dryRun }: JobRequest,
  holding: Pick<Work, "held" | "onOutcome"> & { onHookOutcome?: (outcome: ActionOutcome) => void } = {},
): Promise<JobOutcome> {
  const { held, onOutcome, onHookOutcome } = holding;
  return withHooks(deps, { job, runId, signal, dryRun, held, onOutcome: onHookOutcome }, async (note) => {
    const failing = deps.failing.get(job.id) ?? new Set();
    const noteOutcome: Work["onOutcome"] = (of, outcome) => {
      note(of.action, outcome);
      onOutcome?.(of, outcome);
    };
    const work = { job, runId, cause, signal, dryRun, failing, held, onOutcome: noteOutcome };
    const { outcome, failed } = await runActions(deps, work);
    deps.failing.set(job.id, failed);
    return { outcome, failed };
  });
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
