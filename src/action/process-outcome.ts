import { systemErrorCode } from "../base/errors.ts";
import type { Job } from "../config/resolved.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { ProcessResult } from "../process/process-contract.ts";

type Failed = Extract<ActionOutcome, { kind: "failed" }>;

/** Not enough processes, memory or file descriptors just now. */
const passingSpawnErrors: readonly (string | undefined)[] = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"];

export function reportOf(
  result: ProcessResult,
  child: { argv: readonly string[]; output: string; stats: TransferStats | null },
): ActionReport {
  return {
    ...child,
    exitCode: result.kind === "exited" ? result.code : null,
    signal: result.kind === "signalled" ? result.signal : null,
    ...(result.survivors.length === 0 ? {} : { survivors: result.survivors }),
  };
}

/**
 * The outcome of a child, by everything but its exit code: for that, `judge` is asked. `name` is the
 * program, for messages.
 */
export function outcomeOf(
  result: ProcessResult,
  context: { name: string; signal: AbortSignal; report: ActionReport; judge: (code: number) => ActionOutcome },
): ActionOutcome {
  const { name, report } = context;
  const failed = (message: string, retryable: boolean): Failed => ({
    kind: "failed",
    cause: "process",
    message,
    retryable,
    report,
  });
  if (result.survivors.length > 0) {
    const pids = result.survivors.join(", ");
    return failed(`${name}: processes ${pids} cannot be killed and may still write; they hang in the kernel`, false);
  }
  if (result.stoppedBy !== null) {
    const { kind, message } = result.stoppedBy;
    // A stall is the child's fault unless somebody wanted it stopped anyway.
    if (kind === "stalled" && !context.signal.aborted) return failed(`${name} was stopped: ${message}`, true);
    return { kind: "cancelled", reason: kind, message, report: result.kind === "not-started" ? null : report };
  }
  switch (result.kind) {
    case "not-started": {
      const code = systemErrorCode(result.error);
      const why = code === "ENOENT" ? "it, or the directory to run in, was not found" : result.error.message;
      return failed(`${name} could not be started: ${why}`, passingSpawnErrors.includes(code));
    }
    case "signalled":
      return failed(`${name} was ended by ${result.signal}, which this program did not send`, true);
    case "exited":
      return withLeftovers(context.judge(result.code), result, name);
  }
}

/** What the job says about an exit code, if it says anything (`exit_codes` in the configuration). */
export function treatedAs(job: Job, code: number, message: string, report: ActionReport): ActionOutcome | undefined {
  const failed: Failed = { kind: "failed", cause: "exit", message, retryable: false, report };
  switch (job.exitCodes.get(code)) {
    case undefined:
      return undefined;
    case "ok":
      return { kind: "ok", report };
    case "warning":
      return { kind: "warning", message, report };
    case "error":
      return failed;
    case "retry":
      return { ...failed, retryable: true };
  }
}

/** An end that looks well but left processes behind is not quite well: somebody should know. */
function withLeftovers(outcome: ActionOutcome, result: ProcessResult, name: string): ActionOutcome {
  if (!result.leftBehind || outcome.kind !== "ok") return outcome;
  const how = result.outputHeldOpen ? "that held its output open" : "running";
  const now = result.escaped ? "they cannot be found and may still write" : "they were stopped";
  return { kind: "warning", message: `${name} left processes ${how}; ${now}`, report: outcome.report };
}
