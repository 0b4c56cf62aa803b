import { Readable } from "node:stream";
import { redactArgv } from "../base/redact.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job } from "../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { baseEnvironment } from "../process/child-environment.ts";
import { findProgram } from "../process/find-program.ts";
import type { ProcessSpec } from "../process/process-contract.ts";
import { asShown, buildRsyncCommand } from "../rsync/command.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { meaningOf, meansSignalled } from "../rsync/exit-codes.ts";
import { runRsync } from "../rsync/run-rsync.ts";
import type { RsyncResult } from "../rsync/run-rsync.ts";
import type { ActionDeps } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import { refusedByHold } from "./hold-refusal.ts";
import { neverReached } from "./never-reached.ts";
import { outcomeOf, reportOf, treatedAs } from "./process-outcome.ts";
import { judgeCopy } from "./judge-copy.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";
import { watchChanges } from "./watch-changes.ts";

/** One call of rsync, behind the job's hold locks. */
export async function runSyncCall(run: SyncRun, call: SyncCall): Promise<ActionOutcome> {
  const { job, action, context, deps } = run;
  // Without rsync on this host nothing is started at all, which is told better than by a shell around it.
  const holds = hasRsync(deps) ? context.holds : [];
  const changes = call.onChange === undefined ? watchChanges(run, call.spec) : undefined;
  const spec = changes?.spec ?? call.spec;
  const argv = buildRsyncCommand({ ...spec, holds });
  const result = await runRsync(
    { ...childSpec(argv, action.id, { context, deps }), stdin: inputOf(call) },
    {
      ...childOptions(job, { context, deps }),
      onOutput: (stream, line) => context.onOutput(stream, line),
      onProgress: (progress) => context.onProgress(progress),
      takeLine: call.takeLine,
      onChange: call.onChange ?? changes?.onChange,
      hidesChanges: call.onChange !== undefined || changes?.hides === true,
    },
  );
  changes?.finish();
  const { output, stats, holdRefusal, firstError } = result;
  const told = reportOf(result.process, { argv: shownArgv(call.spec), output, stats });
  // Here and not later: what is said of one call is not true of others that are joined with it.
  const report = neverReached(told) ? { ...told, turnedAway: true } : told;
  return outcomeOf(result.process, {
    name: "rsync",
    signal: context.signal,
    report,
    judge: (code) => {
      if (holdRefusal !== undefined) return refusedByHold(holdRefusal, { holds, report, firstError });
      const outcome = judgeExit(job, code, result, report);
      if (code !== 0 || outcome.kind !== "ok") return outcome;
      const names = rsyncOptionNames(action.opts);
      return judgeCopy(names, { result, dryRun: context.dryRun, judgedAs: call.judgedAs, ok: outcome });
    },
  });
}

function inputOf({ stdin }: SyncCall): NonNullable<ProcessSpec["stdin"]> {
  if (stdin === undefined) return "ignore";
  return typeof stdin === "string" ? { text: stdin } : { stream: Readable.from(once(stdin)) };
}

async function* once(text: Promise<string>): AsyncGenerator<string> {
  yield await text;
}

/** People are shown what they could type; the shell around it, and the way it goes, say them nothing. */
export function shownArgv(spec: RsyncCommandSpec): readonly string[] {
  return redactArgv(buildRsyncCommand(asShown(spec)));
}

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
