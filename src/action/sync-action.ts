import { redactArgv } from "../base/redact.ts";
import { abortReasonOf } from "../base/abort.ts";
import { deletesAtDestination, rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction } from "../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { buildRsyncCommand } from "../rsync/command.ts";
import { meaningOf, meansSignalled } from "../rsync/exit-codes.ts";
import { structuredWords } from "../rsync/structured-words.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import type { RsyncResult } from "../rsync/run-rsync.ts";
import type { ActionDeps, ActionKind } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import { outcomeOf, reportOf, treatedAs } from "./process-outcome.ts";
import { checkLocalSources } from "./source-check.ts";

/** One call of rsync: from here to here, to another host, or from one. */
export const syncAction: ActionKind<SyncAction> = {
  preview: (job, action, { dryRun, deps }) => rsyncArgv(job, action, dryRun, deps),

  run: async (job, action, { context, deps }) => {
    const argv = await rsyncArgv(job, action, context.dryRun, deps);
    const shown = redactArgv(argv);
    context.onStarted(shown);
    if (job.endpoint === undefined || job.direction === "push") {
      const names = rsyncOptionNames([...structuredWords(action.rsync), ...action.opts]);
      const deletes = [...names].some(deletesAtDestination);
      const problem = await checkLocalSources(action.sources, { deletes, signal: context.signal });
      if (context.signal.aborted) return cancelled(context.signal);
      // A source that is not there yet may be a disk that is still to be mounted.
      if (problem !== undefined) return notRun(problem);
    }
    const result = await runRsync(childSpec(argv, action.id, { context, deps }), {
      ...childOptions(job, { context, deps }),
      onOutput: (stream, line) => context.onOutput(stream, line),
      onProgress: (progress) => context.onProgress(progress),
    });
    const { output, stats } = result;
    const report = reportOf(result.process, { argv: shown, output, stats });
    return outcomeOf(result.process, {
      name: "rsync",
      signal: context.signal,
      report,
      judge: (code) => judgeExit(job, code, result, report),
    });
  },
};

async function rsyncArgv(job: Job, action: SyncAction, dryRun: boolean, deps: ActionDeps): Promise<string[]> {
  const { endpoint } = job;
  const remote =
    endpoint === undefined
      ? undefined
      : {
          host: endpoint.host,
          user: endpoint.user,
          side: job.direction === "pull" ? ("source" as const) : ("dest" as const),
          shell: (await deps.remoteShell(endpoint)).shell,
        };
  const { sources, dest, opts } = action;
  return buildRsyncCommand({ sources, dest, opts, options: action.rsync, remote, dryRun });
}

function judgeExit(job: Job, code: number, result: RsyncResult, report: ActionReport): ActionOutcome {
  const { class: exitClass, meaning } = meaningOf(code);
  const detail = result.lastingCause ?? result.firstError;
  const message = `rsync ended with ${code}: ${meaning}${detail === undefined ? "" : ` (${detail})`}`;
  const treated = treatedAs(job, code, message, report);
  if (treated !== undefined) return treated;
  switch (exitClass) {
    case "ok":
      return { kind: "ok", report };
    case "warning":
      return { kind: "warning", message, report };
    case "partial":
    case "fatal":
      return { kind: "failed", cause: "exit", message, retryable: false, report };
    case "retry": {
      const cause = meansSignalled(code) ? "process" : "exit";
      return { kind: "failed", cause, message, retryable: result.lastingCause === undefined, report };
    }
  }
}

function notRun(message: string): ActionOutcome {
  return { kind: "failed", cause: "process", message, retryable: true, report: null };
}

function cancelled(signal: AbortSignal): ActionOutcome {
  const { kind, message } = abortReasonOf(signal);
  return { kind: "cancelled", reason: kind, message, report: null };
}
