import { readFile } from "node:fs/promises";
import { describeError, OperatorError } from "../base/errors.ts";
import { listTransferConflict } from "../base/list-transfer-conflicts.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { PathChange } from "../model/changes.ts";
import type { ActionOutcome } from "../model/run.ts";
import { filterKind } from "../rsync/filter-patterns.ts";
import { inlinePatternFiles, listText, listTransferWords, wordsOfListTransfer } from "../rsync/list-words.ts";
import { cancelledBefore, joinOutcomes, mayGoOn, notRun, refused } from "./join-outcomes.ts";
import { prepareDeletion, runDeletion } from "./delete-paths.ts";
import type { DeletionCall } from "./delete-paths.ts";
import { hasLimits, judgeDeletions } from "./guard-limits.ts";
import { checkGuard } from "./guard.ts";
import { includedEntries } from "./included-entries.ts";
import { planList } from "./list-plan.ts";
import type { ListPlan, SourcePlan } from "./list-plan.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";
import { commonWords, specOf } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";
import { countTargetEntries, runFullSync } from "./full-sync.ts";

/** Lines of files with patterns that are given to rsync as words; more would make its command line too long. */
const mostPatterns = 5000;

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
  const problem = await checkGuard(job, action, { readsHere: true, deletes: carriesDeletions(run, changes), signal });
  if (signal.aborted) return cancelledBefore(signal);
  if (problem !== undefined) return notRun(problem);

  const plan = await planList(job, action, changes, {
    oneFileSystem: names.has("x") || names.has("one-file-system"),
    followsLinks: ["L", "copy-links", "k", "copy-dirlinks", "copy-unsafe-links"].some((name) => names.has(name)),
    signal,
  });
  if (signal.aborted) return cancelledBefore(signal);
  if ("outside" in plan)
    throw new Error(`changed path ${JSON.stringify(plan.outside)} is in no source of ${action.id}`);
  const transfer = await prepareTransfer(run, place, { ...plan, fullBecause: fullBecause ?? plan.fullBecause });
  if (signal.aborted) return cancelledBefore(signal);

  const deletions: DeletionCall[] = [];
  for (const source of plan.sources.filter((each) => each.deletions.length > 0)) {
    const prepared = await prepareDeletion(run, place, source);
    if ("problem" in prepared) return prepared.problem;
    deletions.push(prepared);
  }
  const refusal = await judgeAll(run, place, deletions);
  if (refusal !== undefined) return refusal;

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

type Transfer = { kind: "full"; reason: string } | { kind: "list"; calls: readonly SyncCall[] };

async function prepareTransfer(run: SyncRun, place: SyncPlace, { sources, fullBecause }: ListPlan): Promise<Transfer> {
  if (fullBecause !== undefined) return { kind: "full", reason: fullBecause };
  const withEntries = sources.filter(({ entries }) => entries.length > 0);
  if (withEntries.length === 0) return { kind: "list", calls: [] };
  const filters = filterKind(place.words);
  if (filters === "per-directory") return { kind: "full", reason: "filter rules lie in directories" };
  const read = await readPatterns(place.words);
  if ("reason" in read) return { kind: "full", reason: read.reason };
  const calls: SyncCall[] = [];
  for (const source of withEntries) {
    const { base } = source.root;
    const included =
      filters === "none"
        ? source.entries
        : await includedEntries(run, { base, entries: source.entries, words: read.words });
    if ("problem" in included) return { kind: "full", reason: included.problem };
    if (included.length > 0) calls.push(transferCall(run, place, { source, entries: included, words: read.words }));
  }
  return { kind: "list", calls };
}

async function readPatterns(words: readonly string[]): Promise<{ words: readonly string[] } | { reason: string }> {
  let lines = 0;
  try {
    const inlined = await inlinePatternFiles(words, async (file) => {
      const found = (await readFile(file, "utf8")).split(/[\n\r]/);
      lines += found.length;
      return found;
    });
    return lines > mostPatterns ? { reason: "files with patterns are too long for a list" } : { words: inlined };
  } catch (error) {
    // rsync itself will say so.
    return { reason: `a file with patterns cannot be read: ${describeError(error)}` };
  }
}

function transferCall(
  { job, context }: SyncRun,
  place: SyncPlace,
  { source, entries, words }: { source: SourcePlan; entries: readonly string[]; words: readonly string[] },
): SyncCall {
  // A file takes the place of a directory only with --delete, which deletes nothing else here.
  const makesWay = job.watch?.deleteWatched === true && !hasLimits(job.guard) ? ["--delete"] : [];
  const { base } = source.root;
  return {
    spec: {
      ...specOf(place, context.dryRun),
      sources: [base === "/" ? "/" : `${base}/`],
      opts: wordsOfListTransfer(words),
      own: [...commonWords(job, place), ...makesWay, ...listTransferWords],
    },
    stdin: listText(entries),
    judgedAs: "paths",
  };
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
