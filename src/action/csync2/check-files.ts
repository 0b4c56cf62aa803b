import type { ActionOutcome } from "../../model/run.ts";
import type { Csync2Call } from "./csync2-words.ts";
import { csync2File, markCalls } from "./csync2-words.ts";
import { meaningOfComplaints } from "./csync2-remedies.ts";
import { createDirtyReader, type DirtyFile, unnoticed } from "./dirty-list.ts";
import { type CallResult, type Csync2Work, runCsync2 } from "./run-csync2.ts";
import { escapedChanges } from "./escaped-changes.ts";
import { createUpdateReader } from "./update-output.ts";

export type Checked = { readonly ignored: readonly string[] } | { readonly problem: ActionOutcome };

/** Lets csync2 look at paths on this host, which marks what differs from what it knows. */
export async function runChecks(work: Csync2Work, calls: readonly Csync2Call[]): Promise<Checked> {
  const ignored: string[] = [];
  for (const { mode, paths } of calls) {
    const reader = createUpdateReader();
    const result = await runCsync2(work, [...mode, ...paths], {
      onLine: (_stream, line) => {
        reader.addLine(line);
        const path = /^WARNING: Parameter will be ignored: (.*)$/.exec(line)?.[1];
        if (path !== undefined) ignored.push(path);
      },
    });
    const problem = problemOf(work, result, reader.output().complaints);
    if (problem !== undefined) return { problem };
  }
  return { ignored };
}

/** Marks what has changed and what a look at sizes and seconds has not shown to csync2. */
export async function markUnnoticed(
  work: Csync2Work,
  changed: readonly string[],
  about: { dirty: readonly DirtyFile[]; peers: readonly string[]; settle: () => Promise<unknown> },
): Promise<{ readonly marked: number } | { readonly problem: ActionOutcome }> {
  const { deps, context } = work;
  const candidates = unnoticed(changed, about.dirty, about.peers);
  const paths = await escapedChanges(candidates, {
    ...{ clock: deps.clock, signal: context.signal },
    settle: about.settle,
  });
  const result = await runChecks(work, markCalls(paths));
  return "problem" in result ? result : { marked: paths.length - result.ignored.length };
}

/** What csync2 still has to bring to its peers. */
export async function listDirty(
  work: Csync2Work,
): Promise<{ readonly files: readonly DirtyFile[] } | { readonly problem: ActionOutcome }> {
  const reader = createDirtyReader();
  const complaints: string[] = [];
  const result = await runCsync2(work, ["-M"], {
    silent: true,
    onLine: (stream, line) => void (stream === "stdout" ? reader.addLine(line) : complaints.push(line)),
  });
  // 2: the list is empty (csync2's manual, "Exit codes").
  const empty = result.kind === "exited" && result.code === 2;
  const strange = reader.stray() ?? (empty && reader.files().length > 0 ? "a list that should be empty" : undefined);
  const all = strange === undefined ? complaints : [...complaints, strange];
  const problem = problemOf(work, empty ? { ...result, code: 0 } : result, all);
  return problem === undefined ? { files: reader.files() } : { problem };
}

/** undefined: it ended well and complained of nothing. */
function problemOf(work: Csync2Work, result: CallResult, complaints: readonly string[]): ActionOutcome | undefined {
  if (result.kind === "broken") return result.outcome;
  if (result.code === 0 && complaints.length === 0) return undefined;
  const about = { file: csync2File(work.action), config: work.action.config, peer: undefined };
  const known = meaningOfComplaints(complaints, about);
  const [first] = complaints;
  const message = known?.message ?? `csync2 ended with ${result.code}${first === undefined ? "" : `: ${first}`}`;
  return { kind: "failed", cause: "exit", message, retryable: known?.passing ?? false, report: result.report };
}
