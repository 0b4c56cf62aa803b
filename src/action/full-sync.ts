import type { ActionOutcome } from "../model/run.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { checkGuard } from "./guard.ts";
import { countDeletions, entriesAtTarget, hasLimits, judgeDeletions, mostDeletions } from "./guard-limits.ts";
import { cancelledBefore, notRun, refused } from "./join-outcomes.ts";
import { runInParts } from "./parallel-sync.ts";
import { checkRemoteSources } from "./remote-source-check.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import type { SyncRun } from "./sync-run.ts";
import { fullSpec, fullSyncDeletes, withMaxDelete } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";

/** Copies everything, after the guard has had its look. */
export async function runFullSync(run: SyncRun, place: SyncPlace): Promise<ActionOutcome> {
  const { job, action, context } = run;
  const { dryRun } = context;
  const planned = fullSpec(job, action, { place, dryRun });
  context.onStarted(shownArgv(planned));
  const deletes = fullSyncDeletes(job, place);
  const check = () => checkSources(run, { spec: planned, deletes });
  const problem = await check();
  if (problem !== undefined) return problem;
  const spec = deletes && hasLimits(job.guard) ? await limitDeletions(run, planned) : planned;
  if ("problem" in spec) return spec.problem;
  // To count takes as long as the tree is large, and a disk may go at any time.
  const lost = spec === planned ? undefined : await check();
  if (lost !== undefined) return lost;
  if (action.parallel > 1 && !dryRun) return runInParts(run, place, { spec, checkSources: check });
  return runSyncCall(run, { spec, judgedAs: "complete" });
}

/** The same call that keeps to the limits of the guard, unless it would not. */
async function limitDeletions(
  run: SyncRun,
  spec: RsyncCommandSpec,
): Promise<RsyncCommandSpec | { readonly problem: ActionOutcome }> {
  const { guard } = run.job;
  const counted = await countDeletions(run, { spec, judgedAs: "complete" });
  if ("problem" in counted) return counted;
  const refusal = judgeDeletions(guard, counted);
  return refusal === undefined ? withMaxDelete(spec, mostDeletions(guard, counted)) : { problem: refused(refusal) };
}

/** Why the sync must not begin, or go on; undefined: the sources are as they have to be. */
async function checkSources(
  { job, action, context, deps }: SyncRun,
  { spec, deletes }: { spec: RsyncCommandSpec; deletes: boolean },
): Promise<ActionOutcome | undefined> {
  const { signal, dryRun } = context;
  const readsHere = context.target.endpoint === undefined || job.direction === "push";
  const problem = await checkGuard(job, action, { readsHere, deletes, signal });
  if (signal.aborted) return cancelledBefore(signal);
  if (problem !== undefined) return notRun(problem);
  const asksThere = !readsHere && deletes && !dryRun && job.guard.nonEmpty;
  return asksThere ? checkRemoteSources(job, action, { spec, context, deps }) : undefined;
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
