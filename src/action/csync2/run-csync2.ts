import { redactArgv } from "../../base/redact.ts";
import type { Csync2Action, Job } from "../../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../../model/run.ts";
import { actionMarks } from "../../process/child-environment.ts";
import type { OutputTail } from "../../process/output-tail.ts";
import type { OutputStream, ProcessResult } from "../../process/process-contract.ts";
import { runProcess } from "../../process/run-process.ts";
import type { ActionContext, ActionDeps } from "../action-kind.ts";
import { childOptions, childSpec } from "../child-options.ts";
import { outcomeOf, reportOf } from "../process-outcome.ts";

/** One run of the action: what its calls of csync2 share. */
export interface Csync2Work {
  readonly job: Job;
  readonly action: Csync2Action;
  readonly context: ActionContext;
  readonly deps: ActionDeps;
  /** The words before the mode. */
  readonly words: readonly string[];
  /** What all calls together said, in the report of the action. */
  readonly tail: OutputTail;
}

export interface CallOptions {
  readonly onLine: (stream: OutputStream, line: string) => void;
  /** Nothing of the output is shown: it contains keys, or is a list for this program. */
  readonly silent?: boolean;
  readonly signal?: AbortSignal;
}

export type CallResult =
  | { readonly kind: "exited"; readonly code: number; readonly report: ActionReport }
  /** It did not run to an end of its own; `process` says how, `outcome` what the action makes of it. */
  | { readonly kind: "broken"; readonly outcome: ActionOutcome; readonly process: ProcessResult };

/** Runs `csync2` with these words after its common ones, and hands on what it says line by line. */
export async function runCsync2(
  { job, action, context, deps, words, tail }: Csync2Work,
  rest: readonly string[],
  { onLine, silent = false, signal = context.signal }: CallOptions,
): Promise<CallResult> {
  const argv = [...words, ...rest];
  const spec = childSpec(argv, action.id, { context, deps });
  const process = await runProcess(
    { ...spec, env: { ...spec.env, CSYNC2_SYSTEM_DIR: action.systemDir } },
    {
      ...childOptions(job, { context, deps }),
      signal,
      // The commands of its "action" sections may leave its group.
      marks: actionMarks({ runId: context.runId, jobId: context.jobId, actionId: action.id }),
      onLine: (stream, line) => {
        onLine(stream, line);
        if (silent) return;
        tail.addLine(line);
        context.onOutput(stream, line);
      },
    },
  );
  const report = reportOf(process, { argv: redactArgv(argv), output: tail.text(), stats: null });
  const outcome = outcomeOf(process, {
    name: "csync2",
    signal: context.signal,
    report,
    judge: () => ({ kind: "ok", report }),
  });
  return process.kind === "exited" && (outcome.kind === "ok" || outcome.kind === "warning")
    ? { kind: "exited", code: process.code, report }
    : { kind: "broken", outcome, process };
}
