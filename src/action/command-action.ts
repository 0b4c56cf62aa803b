import { redactArgv } from "../base/redact.ts";
import type { CommandAction, Job } from "../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { actionMarks } from "../process/child-environment.ts";
import { createOutputTail } from "../process/output-tail.ts";
import { runProcess } from "../process/run-process.ts";
import type { ActionKind } from "./action-kind.ts";
import { childOptions, childSpec } from "./child-options.ts";
import { outcomeOf, reportOf, treatedAs } from "./process-outcome.ts";

/** By sysexits.h a program says with this code that it may work later (EX_TEMPFAIL). */
const temporaryFailure = 75;

/** A program of the operator's; a dry run names it and does not run it, for nobody knows what it does. */
export const commandAction: ActionKind<CommandAction> = {
  preview: (_job, action) => Promise.resolve(commandArgv(action)),

  run: async (job, action, { context, deps }) => {
    const argv = commandArgv(action);
    const shown = redactArgv(argv);
    context.onStarted(shown);
    if (context.dryRun) {
      return { kind: "ok", report: { argv: shown, exitCode: null, signal: null, stats: null, output: "" } };
    }
    const tail = createOutputTail();
    const result = await runProcess(
      { ...childSpec(argv, action.id, { context, deps, hasTarget: job.targets.length === 1 }), cwd: action.cwd },
      {
        ...childOptions(job, { context, deps }),
        // What a program of the operator's starts may leave its group, which rsync never does.
        marks: actionMarks({ runId: context.runId, jobId: context.jobId, actionId: action.id }),
        onLine: (stream, line) => {
          tail.addLine(line);
          context.onOutput(stream, line);
        },
      },
    );
    const name = shown[0] ?? "command";
    const report = reportOf(result, { argv: shown, output: tail.text(), stats: null });
    return outcomeOf(result, {
      name,
      signal: context.signal,
      report,
      judge: (code) => judgeExit(job, code, name, report),
    });
  },
};

function commandArgv({ argv, shell }: CommandAction): readonly string[] {
  return shell ? ["/bin/sh", "-c", ...argv] : argv;
}

function judgeExit(job: Job, code: number, name: string, report: ActionReport): ActionOutcome {
  const message = `${name} ended with ${code}`;
  const treated = treatedAs(job, code, message, report);
  if (treated !== undefined) return treated;
  if (code === 0) return { kind: "ok", report };
  return { kind: "failed", cause: "exit", message, retryable: code === temporaryFailure, report };
}
