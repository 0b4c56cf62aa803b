import { redactArgv } from "../base/redact.ts";
import { abortReasonOf } from "../base/abort.ts";
import { deletesAtDestination, rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction } from "../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { baseEnvironment } from "../process/child-environment.ts";
import { findProgram } from "../process/find-program.ts";
import { buildRsyncCommand } from "../rsync/command.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { meaningOf, meansSignalled } from "../rsync/exit-codes.ts";
import { structuredWords } from "../rsync/structured-words.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import type { RsyncResult } from "../rsync/run-rsync.ts";
import type { ActionContext, ActionDeps, ActionKind } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import { refusedByHold } from "./hold-refusal.ts";
import { outcomeOf, reportOf, treatedAs } from "./process-outcome.ts";
import { checkRemoteSources } from "./remote-source-check.ts";
import { checkLocalSources } from "./source-check.ts";

/** One call of rsync: from here to here, to another host, or from one. */
export const syncAction: ActionKind<SyncAction> = {
  preview: async (job, action, { dryRun, deps }) => {
    const [target] = job.targets;
    if (target === undefined) throw new Error(`job ${job.id} has no target`);
    return buildRsyncCommand(await commandSpec(job, action, { target, dryRun }, deps));
  },

  run: async (job, action, { context, deps }) => {
    const spec = await commandSpec(job, action, context, deps);
    const holds = hasRsync(deps) ? context.holds : [];
    const argv = buildRsyncCommand({ ...spec, holds });
    // People are shown what they could type; the shell around it, which takes the hold locks, says them nothing.
    const shown = redactArgv(buildRsyncCommand(spec));
    context.onStarted(shown);
    const names = rsyncOptionNames([...structuredWords(action.rsync), ...action.opts]);
    const deletes = [...names].some(deletesAtDestination);
    if (context.target.endpoint === undefined || job.direction === "push") {
      const problem = await checkLocalSources(action.sources, { deletes, signal: context.signal });
      if (context.signal.aborted) return cancelled(context.signal);
      // A source that is not there yet may be a disk that is still to be mounted.
      if (problem !== undefined) return notRun(problem);
    } else if (deletes && !context.dryRun) {
      const problem = await checkRemoteSources(job, action, { spec, context, deps });
      if (problem !== undefined) return problem;
    }
    const result = await runRsync(childSpec(argv, action.id, { context, deps }), {
      ...childOptions(job, { context, deps }),
      onOutput: (stream, line) => context.onOutput(stream, line),
      onProgress: (progress) => context.onProgress(progress),
    });
    const { output, stats, holdRefusal, firstError } = result;
    const report = reportOf(result.process, { argv: shown, output, stats });
    return outcomeOf(result.process, {
      name: "rsync",
      signal: context.signal,
      report,
      judge: (code) => {
        if (holdRefusal !== undefined) return refusedByHold(holdRefusal, { holds, report, firstError });
        const outcome = judgeExit(job, code, result, report);
        return code === 0 && outcome.kind === "ok" ? judgeCopy(action, result, context.dryRun, outcome) : outcome;
      },
    });
  },
};

async function commandSpec(
  job: Job,
  action: SyncAction,
  { target, dryRun }: Pick<ActionContext, "target" | "dryRun">,
  deps: ActionDeps,
): Promise<RsyncCommandSpec> {
  const { endpoint } = target;
  const remote =
    endpoint === undefined
      ? undefined
      : {
          host: endpoint.host,
          user: endpoint.user,
          side: job.direction === "pull" ? ("source" as const) : ("dest" as const),
          shell: (await deps.remoteShell(endpoint)).shell,
        };
  const { sources, opts } = action;
  const options = target.bwlimit === undefined ? action.rsync : { ...action.rsync, bwlimit: target.bwlimit };
  return { sources, dest: target.dest ?? action.dest, opts, options, remote, dryRun };
}

/** Without rsync on this host nothing is started at all, which is told better than by a shell around it. */
function hasRsync({ env }: ActionDeps): boolean {
  return findProgram("rsync", baseEnvironment(env)["PATH"] ?? "") !== undefined;
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

/** Looks whether an rsync that ended well has copied: it also ends well when it skips the source. */
function judgeCopy(
  action: SyncAction,
  result: RsyncResult,
  dryRun: boolean,
  ok: Extract<ActionOutcome, { kind: "ok" }>,
): ActionOutcome {
  const { report } = ok;
  const own = rsyncOptionNames(action.opts);
  const has = (...names: string[]) => names.some((name) => own.has(name));
  const failed = (message: string): ActionOutcome => ({
    ...{ kind: "failed", cause: "exit", message, retryable: false, report },
  });
  const warning = (message: string): ActionOutcome => ({ kind: "warning", message, report });
  const skipped = /^skipping directory .*/m.exec(result.output)?.[0];
  if (result.stats === null) {
    if (skipped !== undefined) return failed(`rsync skipped the source (${skipped}): it needs archive: true or -r`);
    // These hide the statistics, or send them to standard error.
    if (!has("quiet", "info", "stderr", "msgs2stderr", "no-msgs2stderr")) {
      return failed("rsync printed no statistics: nothing says that it copied anything");
    }
  } else if (result.stats.filesTotal === 0) {
    if (skipped !== undefined) return failed(`rsync skipped the source (${skipped}): it needs archive: true or -r`);
    // An empty list of files, or sources that may be missing: nothing to copy is as it should be.
    if (!has("files-from", "ignore-missing-args")) {
      return warning("rsync copied nothing: its filters leave out every source");
    }
  }
  if (!dryRun && has("dry-run")) return warning("dry run: nothing was copied (-n in opts)");
  return ok;
}

function notRun(message: string): ActionOutcome {
  return { kind: "failed", cause: "process", message, retryable: true, report: null };
}

function cancelled(signal: AbortSignal): ActionOutcome {
  const { kind, message } = abortReasonOf(signal);
  return { kind: "cancelled", reason: kind, message, report: null };
}
