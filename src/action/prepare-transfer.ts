import { readFile } from "node:fs/promises";
import { describeError } from "../base/errors.ts";
import { filterKind } from "../rsync/filter-patterns.ts";
import { inlinePatternFiles, listText, listTransferWords, wordsOfListTransfer } from "../rsync/list-words.ts";
import { hasLimits } from "./guard-limits.ts";
import { includedEntries } from "./included-entries.ts";
import type { ListPlan, SourcePlan } from "./list-plan.ts";
import { commonWords, specOf } from "./sync-command.ts";
import type { SyncPlace } from "./sync-command.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

/** Lines of files with patterns that are given to rsync as words; more would make its command line too long. */
const mostPatterns = 5000;

/** How the changed paths of a plan get to the target: as lists, one for each source, or with everything else. */
export type Transfer = { kind: "full"; reason: string } | { kind: "list"; calls: readonly SyncCall[] };

/**
 * Makes the calls that copy what a plan names. Filters let through a list what they let through a complete sync, or
 * there is no list.
 */
export async function prepareTransfer(
  run: SyncRun,
  place: SyncPlace,
  { sources, fullBecause }: ListPlan,
): Promise<Transfer> {
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
