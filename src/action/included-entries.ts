import { describeError } from "../base/errors.ts";
import { keepRsyncOptions } from "../base/rsync-words.ts";
import { isFilterOption } from "../rsync/filter-patterns.ts";
import { readPath } from "../rsync/itemized-changes.ts";
import { parseListedEntry } from "../rsync/list-source.ts";
import { listText } from "../rsync/list-words.ts";
import { localOperand } from "../rsync/operands.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import { childOptions, childSpec } from "./child-options.ts";
import type { SyncRun } from "./sync-run.ts";

/**
 * Those of the entries that no filter rule keeps out by a directory above them: rsync looks at the rules only for
 * what the list names, so it is asked, here and without the other host, which of the directories they let in.
 * `words` are the user's, with no files of patterns among them. Returns what is wrong where rsync does not say.
 */
export async function includedEntries(
  run: SyncRun,
  { base, entries, words }: { base: string; entries: readonly string[]; words: readonly string[] },
): Promise<readonly string[] | { readonly problem: string }> {
  const { job, action, context, deps } = run;
  const above = new Set(entries.flatMap(directoriesAbove));
  if (above.size === 0) return entries;
  const argv = [
    "rsync",
    ...keepRsyncOptions(words, isFilterOption),
    ...["--list-only", "--dirs", "--relative", "--no-implied-dirs", "--ignore-missing-args"],
    ...["--files-from=-", "--from0", "--", localOperand(`${base === "/" ? "" : base}/`), "."],
  ];
  const included = new Set<string>();
  const { process, firstError } = await runRsync(
    { ...childSpec(argv, action.id, { context, deps }), stdin: { text: listText([...above]) } },
    {
      ...childOptions(job, { context, deps }),
      onOutput: (stream, line) => {
        const entry = stream === "stdout" ? parseListedEntry(line) : undefined;
        if (entry?.type === "d") included.add(readPath(entry.name));
      },
    },
  );
  if (process.kind !== "exited" || (process.code !== 0 && process.code !== 24)) {
    const why = process.kind === "not-started" ? describeError(process.error) : (firstError ?? "it was ended");
    return { problem: `rsync does not say what the filters leave out: ${why}` };
  }
  return entries.filter((entry) => directoriesAbove(entry).every((directory) => included.has(directory)));
}

function directoriesAbove(path: string): string[] {
  const found: string[] = [];
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1))
    found.push(path.slice(0, slash));
  return found;
}
