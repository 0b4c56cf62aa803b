import { OperatorError } from "../base/errors.ts";
import { listTransferConflict } from "../base/list-transfer-conflicts.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { PathChange } from "../model/changes.ts";
import type { ActionOutcome } from "../model/run.ts";
import { cancelledBefore, joinOutcomes, mayGoOn, notRun, refused } from "./join-outcomes.ts";
import { prepareDeletion, runDeletion } from "./delete-paths.ts";
import type { DeletionCall } from "./delete-paths.ts";
import { hasLimits, judgeDeletions } from "./guard-limits.ts";
import { checkGuard } from "./guard.ts";
import { planList } from "./list-plan.ts";
import { prepareTransfer } from "./prepare-transfer.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import type { SyncRun } from "./sync-run.ts";
import type { SyncPlace } from "./sync-command.ts";
import { countTargetEntries, runFullSync } from "./full-sync.ts";

/**
 * Carries changed paths: per source one rsync that reads their list, and one before it for what has to be deleted,
 * if anything. Where a list will not do, or `fullBecause` says why, a complete sync follows the deletions.
 */
export async function runListSync(
  run: SyncRun,
  place: SyncPlace,
  changes: readonly PathChange[],
  { fullBecause }: { fullBecause?: string } = {},
): Promise<ActionOutcome> {
  const { job, action, context } = run;
  const { signal, log } = context;
  const names = rsyncOptionNames(place.words);
  checkListTransfer(run, place, names);
  const deletes = carriesDeletions(run, changes);
  const problem = await checkSources(run, deletes);
  if (problem !== undefined) return problem;

  const plan = await planList(job, action, changes, {
    fullBecause,
    oneFileSystem: names.has("x") || names.has("one-file-system"),
    followsLinks: ["L", "copy-links", "k", "copy-dirlinks", "copy-unsafe-links"].some((name) => names.has(name)),
    signal,
  });
  if (signal.aborted) return cancelledBefore(signal);
  if ("outside" in plan)
    throw new Error(`changed path ${JSON.stringify(plan.outside)} is in no source of ${action.id}`);
  const transfer = await prepareTransfer(run, place, plan);
  if (signal.aborted) return cancelledBefore(signal);

  const deletions: DeletionCall[] = [];
  for (const source of plan.sources.filter((each) => each.deletions.length > 0)) {
    const prepared = await prepareDeletion(run, place, source);
    if ("problem" in prepared) return prepared.problem;
    deletions.push(prepared);
  }
  const refusal = await judgeAll(run, place, deletions);
  if (refusal !== undefined) return refusal;
  // All of that may have taken a while, and a disk may go at any time.
  const lost = deletions.length === 0 ? undefined : await checkSources(run, deletes);
  if (lost !== undefined) return lost;

  const outcomes: ActionOutcome[] = [];
  const main = transfer.kind === "full" ? deletions[0]?.call : (transfer.calls[0] ?? deletions[0]?.call);
  if (main !== undefined) context.onStarted(shownArgv(main.spec));
  for (const deletion of deletions) {
    const outcome = await runDeletion(run, deletion);
    if (outcome !== undefined) outcomes.push(outcome);
    if (outcome !== undefined && !mayGoOn(outcome)) return joinOutcomes(outcomes);
  }
  if (transfer.kind === "full") {
    log.info({ reason: transfer.reason }, "changed paths are sent by a complete sync");
    return joinOutcomes([await runFullSync(run, place), ...outcomes]);
  }
  const sent: ActionOutcome[] = [];
  for (const call of transfer.calls) {
    const outcome = await runSyncCall(run, call);
    sent.push(outcome);
    if (!mayGoOn(outcome)) break;
  }
  return joinOutcomes([...sent, ...outcomes]);
}

/** Why nothing may be carried, or deleted, now; undefined: the sources are as they have to be. */
async function checkSources({ job, action, context }: SyncRun, deletes: boolean): Promise<ActionOutcome | undefined> {
  const { signal } = context;
  const problem = await checkGuard(job, action, { readsHere: true, deletes, signal });
  if (signal.aborted) return cancelledBefore(signal);
  return problem === undefined ? undefined : notRun(problem);
}

/** Only a deletion that rsync carries out can empty a target; a change that is gone by now cannot. */
function carriesDeletions({ job }: SyncRun, changes: readonly PathChange[]): boolean {
  return job.watch?.deleteWatched === true && changes.some(({ kind }) => kind === "deleted");
}

function checkListTransfer({ job, action }: SyncRun, { words }: SyncPlace, names: ReadonlySet<string>): void {
  if (job.type === "remote" && job.direction === "pull") {
    throw new Error(`job ${job.id} pulls: changes of its sources cannot be seen here`);
  }
  const conflict = listTransferConflict(words);
  if (conflict !== undefined) {
    throw new OperatorError(`${action.id}: changed paths cannot be sent with ${conflict.shown}: ${conflict.why}`, {
      kind: "usage",
    });
  }
  if (!["a", "archive", "r", "recursive"].some((name) => names.has(name))) {
    throw new OperatorError(`${action.id}: changed paths cannot be sent without archive: true or -r`, {
      kind: "usage",
    });
  }
}

/** The limits hold for the whole action, however many calls it takes. */
async function judgeAll(
  run: SyncRun,
  place: SyncPlace,
  deletions: readonly DeletionCall[],
): Promise<ActionOutcome | undefined> {
  const { guard } = run.job;
  const found = deletions.flatMap((deletion) => deletion.found ?? []);
  const count = found.reduce((sum, each) => sum + each.count, 0);
  if (!hasLimits(guard) || count === 0) return undefined;
  const first = found.flatMap((each) => each.first).slice(0, 5);
  let targetEntries: number | null = null;
  if (guard.maxDeletePercent !== undefined) {
    const entries = await countTargetEntries(run, place);
    if (typeof entries === "object" && entries !== null) return entries.problem;
    targetEntries = entries === null ? null : entries + count;
  }
  const message = judgeDeletions(guard, { count, first, targetEntries });
  return message === undefined ? undefined : refused(message);
}
