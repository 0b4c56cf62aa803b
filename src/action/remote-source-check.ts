import { redactArgv } from "../base/redact.ts";
import type { Job, SyncAction } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import { asShown, type RsyncCommandSpec } from "../rsync/command.ts";
import { meaningOf } from "../rsync/exit-codes.ts";
import { buildListCommand, namesContents, parseListedEntry } from "../rsync/list-source.ts";
import type { ListedEntry } from "../rsync/list-source.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import type { ActionContext, ActionDeps } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import { outcomeOf, reportOf } from "./process-outcome.ts";
import { emptySource, notContent } from "./source-check.ts";

type Running = { context: ActionContext; deps: ActionDeps };
type Listing = { readonly entries: readonly ListedEntry[] } | { readonly problem: ActionOutcome };

/**
 * Looks at the sources of a pull that deletes before it is started; returns the outcome that takes its
 * place when one of them is an empty directory or cannot be listed: what is unknown may be empty.
 */
export async function checkRemoteSources(
  job: Job,
  action: SyncAction,
  { spec, ...running }: Running & { spec: RsyncCommandSpec },
): Promise<ActionOutcome | undefined> {
  const { context } = running;
  const list = (source: string) => {
    const shown = redactArgv(buildListCommand(asShown(spec), source));
    return listSource(job, action, { ...running, argv: buildListCommand(spec, source), shown });
  };
  for (const source of action.sources) {
    const shown = `${context.target.endpoint?.host ?? ""}:${source}`;
    let listing = await list(source);
    if (!("problem" in listing) && !namesContents(source)) {
      const [entry] = listing.entries;
      // What is no directory has nothing to delete; what is not listed at all is not known.
      if (entry !== undefined && entry.type !== "d") continue;
      if (entry !== undefined) listing = await list(`${source}/`);
    }
    if ("problem" in listing) return listing.problem;
    if (!listing.entries.some(({ name }) => name !== "." && name !== notContent)) {
      return { kind: "failed", cause: "process", message: emptySource(shown), retryable: true, report: null };
    }
  }
  return undefined;
}

async function listSource(
  job: Job,
  action: SyncAction,
  { context, deps, argv, shown }: Running & { argv: readonly string[]; shown: readonly string[] },
): Promise<Listing> {
  const first: ListedEntry[] = [];
  const result = await runRsync(childSpec(argv, action.id, { context, deps }), {
    ...childOptions(job, { context, deps }),
    onOutput: (stream, line) => {
      if (stream === "stderr") return context.onOutput(stream, line);
      const entry = parseListedEntry(line);
      // Three are enough to find one that is neither "." nor "lost+found".
      if (entry !== undefined && first.length < 3) first.push(entry);
    },
  });
  const { output, lastingCause, firstError } = result;
  const report = reportOf(result.process, { argv: shown, output, stats: null });
  const outcome = outcomeOf(result.process, {
    name: "rsync",
    signal: context.signal,
    report,
    judge: (code) => {
      if (code === 0) return { kind: "ok", report };
      const detail = lastingCause ?? firstError;
      const why = `rsync ended with ${code}: ${meaningOf(code).meaning}${detail === undefined ? "" : ` (${detail})`}`;
      const message = `the source could not be looked at, and the sync would delete: ${why}`;
      // A source that is not there yet (23) may be a disk that is still to be mounted.
      const mayPass = lastingCause === undefined && ["retry", "partial"].includes(meaningOf(code).class);
      return { kind: "failed", cause: "exit", message, retryable: mayPass, report };
    },
  });
  return outcome.kind === "failed" || outcome.kind === "cancelled" ? { problem: outcome } : { entries: first };
}
