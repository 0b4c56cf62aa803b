import { AbortReason, childController } from "../base/abort.ts";
import { formatDuration } from "../base/duration.ts";
import { redactArgv } from "../base/redact.ts";
import type { Logger } from "../base/logger.ts";
import type { ActionOutcome } from "../model/run.ts";
import { childEnvironment, type Environment } from "../process/child-environment.ts";
import { createOutputTail } from "../process/output-tail.ts";
import { runProcess } from "../process/run-process.ts";
import type { ActionContext, ActionDeps } from "./action-kind.ts";
import { outcomeOf, reportOf } from "./process-outcome.ts";

/** One program of a hook. The callbacks must not throw. */
export interface HookRequest extends Pick<ActionContext, "signal" | "dryRun" | "onSpawned" | "onStarted" | "onOutput"> {
  readonly runId: string;
  readonly jobId: string;
  readonly hookId: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** What it is told about the job, over what every child is told. */
  readonly variables: Environment;
  readonly log: Logger;
}

/** Runs one program of a hook. It never rejects; a failure that may pass (75) is retryable, and nobody tries again. */
export type RunHook = (request: HookRequest) => Promise<ActionOutcome>;

/** By sysexits.h a program says with this code that it may work later (EX_TEMPFAIL). */
const temporaryFailure = 75;

/** What a hook starts gets less time than a sync, which has files to finish. */
const grace = { leaderMs: 2000, groupMs: 2000 };

/**
 * Hooks mount and unmount: a program that leaves its group on purpose, as those of file systems in user space do, is
 * left alone.
 */
export function createHookRunner(deps: ActionDeps): RunHook {
  return async (request) => {
    const { runId, jobId, hookId, argv, timeoutMs, dryRun } = request;
    const shown = redactArgv(argv);
    const [name = "hook"] = shown;
    request.onStarted(shown);
    const tail = createOutputTail();
    if (dryRun) return { kind: "ok", report: { argv: shown, exitCode: null, signal: null, stats: null, output: "" } };
    const controller = childController(request.signal);
    const tooLate = new AbortReason("timed-out", `it did not end within ${formatDuration(timeoutMs)}`);
    const cancelTimer = deps.clock.setTimer(timeoutMs, () => controller.abort(tooLate));
    const onHurry = () => controller.abort(new AbortReason("shutdown", "the director has to stop at once"));
    deps.hurry?.addEventListener("abort", onHurry, { once: true });
    const [file = "", ...args] = argv;
    const marks = childEnvironment(deps.env, { runId, jobId, actionId: hookId, attempt: 1 });
    const result = await runProcess(
      { file, args, env: { ...marks, ...request.variables } },
      {
        signal: controller.signal,
        ...{ clock: deps.clock, log: request.log, grace, hurry: deps.hurry, drainMs: 1000 },
        onSpawn: request.onSpawned,
        onLine: (stream, line) => {
          tail.addLine(line);
          request.onOutput(stream, line);
        },
      },
    );
    cancelTimer();
    deps.hurry?.removeEventListener("abort", onHurry);
    controller.dispose();
    const report = reportOf(result, { argv: shown, output: tail.text(), stats: null });
    const outcome = outcomeOf(result, {
      ...{ name, signal: controller.signal, report },
      judge: (code) => {
        if (code === 0) return { kind: "ok", report };
        const message = `${name} ended with ${code}`;
        return { kind: "failed", cause: "exit", message, retryable: code === temporaryFailure, report };
      },
    });
    // Its own time limit is its failure, and no wish of anybody's to stop the job.
    if (outcome.kind !== "cancelled" || request.signal.aborted) return outcome;
    return { kind: "failed", cause: "process", message: `${name}: ${outcome.message}`, retryable: false, report };
  };
}
