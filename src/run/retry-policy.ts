import type { RetryPolicy } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";

/**
 * How long to wait before an action is tried again, or null when it is not.
 * `attempt` counts from 1; only failures that may pass are repeated: those the exit-code table calls
 * retryable, or exactly the codes the job names in `retry.exit_codes`. Never while processes of the last
 * try live on: they would write beside the next one.
 */
export function retryDelay(outcome: ActionOutcome, attempt: number, policy: RetryPolicy): number | null {
  if (outcome.kind !== "failed" || attempt > policy.limit || !mayPass(outcome, policy)) return null;
  return Math.min(policy.maxDelayMs, policy.delayMs * policy.backoff ** (attempt - 1));
}

function mayPass(outcome: Extract<ActionOutcome, { kind: "failed" }>, policy: RetryPolicy): boolean {
  if ((outcome.report?.survivors ?? []).length > 0) return false;
  if (policy.exitCodes === undefined) return outcome.retryable;
  const code = outcome.report?.exitCode;
  return code !== undefined && code !== null && policy.exitCodes.includes(code);
}
