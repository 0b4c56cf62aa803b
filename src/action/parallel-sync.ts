import type { ActionOutcome } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { cancelledBefore, joinOutcomes, mayGoOn } from "./join-outcomes.ts";
import { lookAhead } from "./parallel-look.ts";
import { copyParts } from "./parallel-parts.ts";
import { shareProgress } from "./parallel-progress.ts";
import { splitFiles } from "./split-files.ts";
import { runSyncCall } from "./sync-call.ts";
import type { SyncPlace } from "./sync-command.ts";
import type { SyncRun } from "./sync-run.ts";

/**
 * A complete sync by several rsyncs: a look says what is to be copied, parts copy these files side by side and do
 * nothing else, and one more, which is the very call that would have been the only one, does all the rest. What it
 * leaves is what one rsync leaves, whatever the parts did (docs/parallel.md). `checkSources`: the guard's look, once more
 * before the last one, which deletes: the others may have taken hours, and the source's disk may be gone.
 */
export async function runInParts(
  run: SyncRun,
  place: SyncPlace,
  { spec, checkSources }: { spec: RsyncCommandSpec; checkSources: () => Promise<ActionOutcome | undefined> },
): Promise<ActionOutcome> {
  const { action, context } = run;
  const { log, signal } = context;
  const look = await lookAhead(run, spec);
  if ("problem" in look) return look.problem;
  if (signal.aborted) return cancelledBefore(signal);
  if ("unclear" in look)
    log.warn({ reason: look.unclear }, "one rsync copies alone: it cannot be asked what is to be copied");
  const lists = "unclear" in look ? [] : splitFiles(look.files, action.parallel);
  if ("unclear" in look || lists.length === 0) {
    return (await checkSources()) ?? runSyncCall(run, { spec, judgedAs: "complete" });
  }

  const progress = shareProgress(look.files, (update) => context.onProgress(update));
  const parts = await copyParts(run, place, { lists, destIsNew: look.destIsNew, progress });
  if (!parts.every(mayGoOn)) return joinOutcomes(parts);
  const lost = await checkSources();
  if (lost !== undefined) return joinOutcomes([lost, ...parts]);
  const last = await runSyncCall(
    { ...run, context: { ...context, onProgress: (update) => progress.ofLast(update) } },
    { spec, judgedAs: "complete" },
  );
  const joined = joinOutcomes([last, ...parts]);
  const stats = joinStats(last.report?.stats ?? null, {
    parts: parts.map(({ report }) => report?.stats ?? null),
    announced: look.outcome.report?.stats ?? null,
  });
  return joined.report === null ? joined : ({ ...joined, report: { ...joined.report, stats } } as ActionOutcome);
}

/**
 * What was copied is the sum, what there is only the last one saw. Directories that two parts wanted to make both of
 * them count: no more can have been made than the look had announced, and what the last one made after it.
 */
export function joinStats(
  last: TransferStats | null,
  { parts, announced }: { parts: readonly (TransferStats | null)[]; announced: TransferStats | null },
): TransferStats | null {
  if (last === null) return null;
  const sum = (field: keyof TransferStats): number | null => {
    const told = [last, ...parts].map((stats) => stats?.[field] ?? null);
    return told.reduce<number | null>((total, one) => (total === null || one === null ? null : total + one), 0);
  };
  const created = sum("filesCreated");
  const most = announced === null ? null : announced.filesCreated;
  return {
    ...last,
    filesCreated:
      created === null || most === null || last.filesCreated === null
        ? created
        : Math.min(created, most + last.filesCreated),
    filesTransferred: sum("filesTransferred"),
    transferredBytes: sum("transferredBytes"),
    literalBytes: sum("literalBytes"),
    matchedBytes: sum("matchedBytes"),
    sentBytes: sum("sentBytes"),
    receivedBytes: sum("receivedBytes"),
  };
}
