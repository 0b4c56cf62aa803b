import { abortReasonOf } from "../base/abort.ts";
import type { Action, SyncAction } from "../config/resolved.ts";
import type { ActionOutcome, JobOutcome } from "../model/run.ts";
import { type ChangesFeed, csync2Target, type SyncScope } from "../model/changes.ts";
import { cancelledOutcome } from "./job-outcomes.ts";
import { carryChanges } from "./carry-changes.ts";
import { runLanes, type Turn } from "./sync-lanes.ts";
import { createTargetBook, type TargetBook } from "./target-book.ts";
import { tryAction, type TryDeps, type Work } from "./try-action.ts";

export interface ActionsDeps extends TryDeps {
  /** What watched jobs still have to carry. */
  readonly feed?: ChangesFeed | undefined;
}

export interface ActionsWork extends Work {
  /** Ids of targets that failed the last time: they begin last. */
  readonly failing: ReadonlySet<string>;
}

/**
 * The actions of a job in their order. A sync is run for every target, side by side; a target for which it fails
 * drops out, and the job goes on as long as one is left. Everything else is run once. Also returns the targets that
 * failed.
 */
export async function runActions(
  deps: ActionsDeps,
  work: ActionsWork,
): Promise<{ readonly outcome: JobOutcome; readonly failed: ReadonlySet<string> }> {
  const book = createTargetBook(work, deps);
  const outcome = await runAll(deps, work, book);
  book.close(outcome);
  return { outcome, failed: book.failed() };
}

async function runAll(deps: ActionsDeps, work: ActionsWork, book: TargetBook): Promise<JobOutcome> {
  const { job, signal } = work;
  for (const action of job.actions) {
    // An action that finished before the signal came has finished; the next one must not begin.
    if (signal.aborted) return cancelledOutcome(abortReasonOf(signal));
    if (action.kind === "sync") {
      const ends = await runSync(deps, work, { action, book });
      if ([...ends.values()].some(({ kind }) => kind === "cancelled")) return cancelledOutcome(abortReasonOf(signal));
      if (book.left().length === 0) break;
      continue;
    }
    const outcome = await runOnce(deps, work, action);
    if (outcome === undefined) continue;
    switch (outcome.kind) {
      case "ok":
        break;
      case "warning":
        book.warned(action.id, outcome.message);
        break;
      case "failed":
        return book.outcome({ actionId: action.id, message: `${action.id}: ${outcome.message}` });
      case "cancelled":
        return cancelledOutcome(abortReasonOf(signal));
    }
  }
  return book.outcome();
}

/** undefined: there was nothing to carry. csync2 keeps a list for each of its peers itself: it is one destination. */
async function runOnce(deps: ActionsDeps, work: ActionsWork, action: Action): Promise<ActionOutcome | undefined> {
  const { job, cause, dryRun } = work;
  const [target] = job.targets;
  if (target === undefined) throw new Error(`job ${job.id} has no target`);
  let outcome: ActionOutcome | undefined;
  const run = async (scope: SyncScope) => {
    ({ outcome } = await tryAction(deps, work, { action, target, scope, triesBefore: 0 }));
    return outcome;
  };
  if (action.kind !== "csync2") return run({ kind: "full", reason: "" });
  const of = { jobId: job.id, actionId: action.id, targetId: csync2Target };
  const turn = await carryChanges(deps.feed?.begin(of, cause), { dryRun, hasAll: isAtAllPeers }, run);
  if (outcome !== undefined || turn.kind !== "failed") return outcome;
  return { kind: "failed", cause: "process", message: turn.message, retryable: false, report: null };
}

/** csync2 is asked afterwards what is left: a warning says something else. */
function isAtAllPeers({ kind }: ActionOutcome): boolean {
  return kind === "ok" || kind === "warning";
}

async function runSync(
  deps: ActionsDeps,
  work: ActionsWork,
  { action, book }: { action: SyncAction; book: TargetBook },
): Promise<ReadonlyMap<string, Turn>> {
  const { feed } = deps;
  const { job, cause, signal, failing } = work;
  const isLast = job.actions.findLast(({ kind }) => kind === "sync") === action;
  const tries = new Map<string, number>();
  const destinationOf = (targetId: string) => ({ jobId: job.id, actionId: action.id, targetId });
  const left = book.left();
  return runLanes({
    targets: [...left.filter(({ id }) => !failing.has(id)), ...left.filter(({ id }) => failing.has(id))],
    maxParallel: job.maxParallel,
    signal,
    goesOn: feed !== undefined && cause.kind === "watch" && !work.dryRun,
    untilMore: feed?.untilPending && ((target, until) => feed.untilPending?.(destinationOf(target.id), until) ?? no),
    takeTurn: async (target, lane) => {
      const of = destinationOf(target.id);
      const turn = await carryChanges(feed?.begin(of, cause), { dryRun: work.dryRun }, async (scope) => {
        const triesBefore = tries.get(target.id) ?? 0;
        const task = { action, target, scope, triesBefore };
        const tried = await tryAction(deps, { ...work, ...lane }, task);
        tries.set(target.id, triesBefore + tried.tries);
        return tried.outcome;
      });
      book.turned(target.id, action.id, { turn, isLast });
      return turn;
    },
  });
}

const no = Promise.resolve(false);
