import type { ActionOutcome } from "../model/run.ts";
import { checkGuard } from "./guard.ts";
import { countDeletions, entriesAtTarget, hasLimits, judgeDeletions } from "./guard-limits.ts";
import { cancelledBefore, notRun, refused } from "./join-outcomes.ts";
import { runInParts } from "./parallel-sync.ts";
import { checkRemoteSources } from "./remote-source-check.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import type { SyncRun } from "./sync-run.ts";
import { fullSpec, fullSyncDeletes } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";

/** Copies everything, after the guard has had its look. */
export async function runFullSync(run: SyncRun, place: SyncPlace): Promise<ActionOutcome> {
  const { job, action, context, deps } = run;
  const { signal, dryRun } = context;
  const spec = fullSpec(job, action, { place, dryRun });
  context.onStarted(shownArgv(spec));
  const deletes = fullSyncDeletes(job, place);
  const readsHere = context.target.endpoint === undefined || job.direction === "push";
  const problem = await checkGuard(job, action, { readsHere, deletes, signal });
  if (signal.aborted) return cancelledBefore(signal);
  if (problem !== undefined) return notRun(problem);
  if (!readsHere && deletes && !dryRun && job.guard.nonEmpty) {
    const emptiness = await checkRemoteSources(job, action, { spec, context, deps });
    if (emptiness !== undefined) return emptiness;
  }
  if (deletes && hasLimits(job.guard)) {
    const counted = await countDeletions(run, { spec, judgedAs: "complete" });
    if ("problem" in counted) return counted.problem;
    const refusal = judgeDeletions(job.guard, counted);
    if (refusal !== undefined) return refused(refusal);
  }
  if (action.parallel > 1 && !dryRun) return runInParts(run, place, spec);
  return runSyncCall(run, { spec, judgedAs: "complete" });
}

/**
 * How many entries of the source the target has already, by a dry run of the complete sync; null: rsync does not say.
 */
export async function countTargetEntries(
  run: SyncRun,
  place: SyncPlace,
): Promise<number | null | { readonly problem: ActionOutcome }> {
  const { job, action } = run;
  const outcome = await runSyncCall(run, {
    spec: fullSpec(job, action, { place, dryRun: true }),
    judgedAs: "complete",
    onChange: () => undefined,
  });
  if (outcome.kind === "failed" || outcome.kind === "cancelled") return { problem: outcome };
  return entriesAtTarget(outcome.report.stats, 0);
}
