import type { ActionOutcome } from "../model/run.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import { filterKind } from "../rsync/filter-patterns.ts";
import { deletionRules, deletionWords, wordsOfDeletion } from "../rsync/list-words.ts";
import type { DeletionRules } from "../rsync/list-words.ts";
import { countDeletions, hasLimits } from "./guard-limits.ts";
import type { Deletions } from "./guard-limits.ts";
import type { SourcePlan } from "./list-plan.ts";
import { mayMeet, sourceRoot } from "./source-root.ts";
import { runSyncCall } from "./sync-call.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";
import { commonWords, maxDeleteWords, specOf } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";

/** The call that deletes some paths of one source, and what a look before it has told. */
export interface DeletionCall {
  readonly call: SyncCall;
  readonly found: Deletions | undefined;
}

/**
 * Prepares to delete exactly these paths at the destination (docs/decisions/0012): a sync of the source with
 * `--delete` whose filter rules leave nothing of the tree but them. The user's own rules come first, so that what they
 * exclude stays. Where those let something in, rsync would go no further in the rules: then a dry run
 * tells what would go, and the call names that, path by path.
 */
export async function prepareDeletion(
  run: SyncRun,
  place: SyncPlace,
  { root, deletions }: SourcePlan,
): Promise<DeletionCall | { readonly problem: ActionOutcome }> {
  const { job, action } = run;
  const kind = filterKind(place.words);
  // Where sources meet, one keeps what the other has lost.
  const sources = action.sources.filter((source) => mayMeet(sourceRoot(source), root));
  const call = deletionCall(run, place, {
    sources,
    words: wordsOfDeletion(place.words, "filters"),
    rules: deletionRules(deletions, { extensions: action.extensions }),
  });
  const isExact = kind === "none" || kind === "excludes";
  if (isExact && !hasLimits(job.guard)) return { call, found: undefined };
  const found = await countDeletions(run, call, { keepAll: !isExact });
  if ("problem" in found || isExact) return "problem" in found ? found : { call, found };
  const wanted = new Set(deletions);
  const exact = found.all.filter((path) => isCovered(path, wanted));
  return {
    call: deletionCall(run, place, {
      sources,
      words: wordsOfDeletion(place.words, "no filters"),
      rules: deletionRules(exact, { exact: true }),
    }),
    found: { ...found, count: exact.length, first: exact.slice(0, found.first.length), all: exact },
  };
}

export function runDeletion(run: SyncRun, { call, found }: DeletionCall): Promise<ActionOutcome> | undefined {
  return found?.count === 0 ? undefined : runSyncCall(run, call);
}

function deletionCall(
  { job, context }: SyncRun,
  place: SyncPlace,
  { sources, words, rules }: { sources: readonly string[]; words: readonly string[]; rules: DeletionRules },
): SyncCall {
  const limit = maxDeleteWords(job, rsyncOptionNames(words));
  return {
    spec: {
      ...specOf(place, context.dryRun),
      sources,
      opts: words,
      own: [...commonWords(job, place), ...deletionWords, ...limit, ...rules.words],
    },
    stdin: rules.text,
    judgedAs: "paths",
  };
}

function isCovered(path: string, wanted: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (wanted.has(path.slice(0, end))) return true;
  }
  return false;
}
