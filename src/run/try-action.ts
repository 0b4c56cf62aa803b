import { abortReasonOf, sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Action, Job, Target } from "../config/resolved.ts";
import type { RunAction } from "../action/action.ts";
import type { GuardedHold } from "../lock/hold/hold-locks.ts";
import type { SyncScope } from "../model/changes.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, RunCause } from "../model/run.ts";
import type { Rest } from "./sync-lanes.ts";
import { retryDelay } from "./retry-policy.ts";

export interface TryDeps {
  readonly runAction: RunAction;
  readonly events: Emitter<DirectorEvents>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What all actions of one run of a job share. */
export interface Work {
  readonly job: Job;
  readonly runId: string;
  readonly cause: RunCause;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
  /** A dry run holds nothing. */
  readonly held?: GuardedHold | undefined;
  /** Lets others work while this waits to try again. */
  readonly rest?: Rest | undefined;
  readonly onOutcome?: ((of: { action: Action; target: Target }, outcome: ActionOutcome) => void) | undefined;
}

/** An action, where it leads, and what it has to carry. */
export interface Task {
  readonly action: Action;
  readonly target: Target;
  readonly scope: SyncScope;
  /** Tries of this action for this target that were made before, in the same run. */
  readonly triesBefore: number;
}

/** Runs an action until it succeeds, or until the job's `retry` says that it has failed for good. */
export async function tryAction(
  deps: TryDeps,
  work: Work,
  task: Task,
): Promise<{ readonly outcome: ActionOutcome; readonly tries: number }> {
  const { clock, events } = deps;
  const { job, signal } = work;
  for (let tries = 1; ; tries += 1) {
    const of = { ...nameOf(work, task), attempt: task.triesBefore + tries };
    const outcome = await tryOnce(deps, work, task, of);
    // A dry run shows what a run would find now.
    const delayMs = work.dryRun ? null : retryDelay(outcome, tries, job.retry);
    if (delayMs === null || outcome.kind !== "failed") return { outcome, tries };
    const { message, report } = outcome;
    events.emit("action:retrying", { ...of, delayMs, message, at: clock.now() });
    const wait = () => sleep(delayMs, { signal, clock });
    if (!(await (work.rest === undefined ? wait() : work.rest(wait)))) {
      const reason = abortReasonOf(signal);
      return { outcome: { kind: "cancelled", reason: reason.kind, message: reason.message, report }, tries };
    }
  }
}

/** Where there is only one target its name says nothing. */
function nameOf({ job, runId }: Work, { action, target }: Task) {
  const targetId = action.kind === "sync" && job.targets.length > 1 ? target.id : "";
  return { runId, jobId: job.id, actionId: action.id, targetId };
}

async function tryOnce(
  deps: TryDeps,
  work: Work,
  { action, target, scope }: Task,
  of: ReturnType<typeof nameOf> & { attempt: number },
): Promise<ActionOutcome> {
  const { clock, events } = deps;
  const { job, runId, cause, signal, dryRun, held } = work;
  const { jobId, attempt, targetId } = of;
  const startedAt = clock.now();
  const fencing = held?.fencingOf(target.id);
  const fields = { run: runId, job: jobId, action: action.id, ...(targetId !== "" && { target: targetId }) };
  const outcome = await deps.runAction(job, action, {
    ...{ runId, jobId, cause, target, scope, attempt, signal, dryRun },
    log: deps.log.child(fields),
    holds: fencing?.kind === "fenced" ? fencing.holds : [],
    onSpawned: (pid) => held?.spawned(pid),
    onStarted: (argv) => events.emit("action:started", { ...of, argv, at: clock.now() }),
    onOutput: (stream, line) => events.emit("action:output", { stream, line, ...of }),
    onProgress: (progress) => events.emit("action:progress", { ...of, progress }),
  });
  work.onOutcome?.({ action, target }, outcome);
  events.emit("action:finished", { ...of, outcome, startedAt, at: clock.now() });
  return outcome;
}
