import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { cancelledBefore, joinOutcomes, mayGoOn } from "./join-outcomes.ts";
import { type Look, lookAhead, lookHere, type LookResult } from "./parallel-look.ts";
import { besideParts, copyParts, type PartsPlan } from "./parallel-parts.ts";
import { shareProgress, type SharedProgress } from "./parallel-progress.ts";
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
  const guessed = await copyAsNew(run, place, spec);
  const copied =
    guessed === undefined || guessed === "dest was there"
      ? await copyMissing(guessed === undefined ? run : besideParts(run), place, spec)
      : guessed;
  if (copied === "alone") return (await checkSources()) ?? runSyncCall(run, { spec, judgedAs: "complete" });
  if ("kind" in copied) return copied;
  const { look, parts, progress } = copied;
  if (!parts.every(mayGoOn)) return joinOutcomes(parts);
  const lost = await checkSources();
  if (lost !== undefined) return joinOutcomes([lost, ...parts]);
  const last = await runSyncCall(
    { ...run, context: { ...run.context, onProgress: (update) => progress.ofLast(update) } },
    { spec, judgedAs: "complete" },
  );
  const mended = looksAtAll(place) ? parts.map((part) => mendedBy(last, part)) : parts;
  const joined = joinOutcomes([last, ...mended]);
  const stats = joinStats(last.report?.stats ?? null, {
    parts: parts.map(({ report }) => report?.stats ?? null),
    announced: look.outcome.report?.stats ?? null,
  });
  return joined.report === null ? joined : ({ ...joined, report: { ...joined.report, stats } } as ActionOutcome);
}

/** What the parts were to do and have done; `alone`: there are none; an outcome: the sync is at its end. */
type Copied =
  | { readonly look: Look; readonly parts: readonly ActionOutcome[]; readonly progress: SharedProgress }
  | ActionOutcome
  | "alone";

/**
 * Where nothing is everything has to be copied, so that nobody over there need be asked what is missing. undefined:
 * something is there, or may be.
 */
async function copyAsNew(
  run: SyncRun,
  place: SyncPlace,
  spec: RsyncCommandSpec,
): Promise<Copied | "dest was there" | undefined> {
  const { remote, mayBeNew, words } = place;
  const names = rsyncOptionNames(words);
  const copiesNew = !names.has("existing") && !names.has("ignore-non-existing");
  // An earlier try has copied something, and may have left somebody, whom only a look at the destination finds.
  if (!mayBeNew || !copiesNew || remote?.side !== "dest" || run.context.attempt > 1) return undefined;
  const look = await lookHere(run, spec);
  return "unclear" in look ? undefined : copyWhat(run, place, { look, dest: () => "new?" });
}

async function copyMissing(run: SyncRun, place: SyncPlace, spec: RsyncCommandSpec): Promise<Copied> {
  const look = await lookAhead(run, spec);
  const copied = await copyWhat(run, place, { look, dest: ({ destIsNew }) => (destIsNew ? "new" : "old") });
  return copied === "dest was there" ? "alone" : copied;
}

async function copyWhat(
  run: SyncRun,
  place: SyncPlace,
  { look, dest }: { look: LookResult; dest: (look: Look) => PartsPlan["dest"] },
): Promise<Copied | "dest was there"> {
  const { action, context } = run;
  const { log, signal } = context;
  if ("problem" in look) return look.problem;
  if (signal.aborted) return cancelledBefore(signal);
  if ("unclear" in look) {
    log.warn({ reason: look.unclear }, "one rsync copies alone: it cannot be asked what is to be copied");
    return "alone";
  }
  const lists = splitFiles(look.files, action.parallel);
  if (lists.length === 0) return "alone";
  const progress = shareProgress(look.files, (update) => context.onProgress(update));
  const parts = await copyParts(run, place, { lists, progress, dest: dest(look) });
  return parts === "dest was there" ? parts : { look, parts, progress };
}

/**
 * Whether the last rsync compares every file. What is there already, newer, or as large as it has to be the others pass
 * over, also where a part says that it could not copy it as it is.
 */
function looksAtAll({ words }: SyncPlace): boolean {
  const names = rsyncOptionNames(words);
  return !["ignore-existing", "u", "update", "size-only"].some((name) => names.has(name));
}

/** By these codes a part says that it could not copy some file, or that one had gone. */
const incomplete: readonly (number | null | undefined)[] = [23, 24];

/**
 * A part as it counts beside the last rsync: that has been everywhere since, and where it found or made everything as
 * it has to be, nothing is missing any more.
 */
function mendedBy(last: ActionOutcome, part: ActionOutcome): ActionOutcome {
  const { report } = part;
  const isWhole = last.kind === "ok" && last.report.exitCode === 0;
  if (!isWhole || report === null || report.survivors !== undefined) return part;
  return incomplete.includes(report.exitCode) ? { kind: "ok", report } : part;
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
