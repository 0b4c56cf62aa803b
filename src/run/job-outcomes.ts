import { type AbortReason } from "../base/abort.ts";
import type { Block } from "../config/resolved.ts";
import type { JobOutcome } from "../model/run.ts";

export function blockTimeout(block: Block, message: string): JobOutcome {
  return block.onTimeout === "fail"
    ? { kind: "failed", message, actionId: null }
    : { kind: "skipped", cause: "block-timeout", message };
}

/** A job that ran out of time, or lost its lock, has failed; one that somebody stopped was cancelled. */
export function cancelledOutcome(reason: AbortReason): JobOutcome & { kind: "failed" | "cancelled" } {
  switch (reason.kind) {
    case "timed-out":
    case "stalled":
    case "lock-lost":
      return { kind: "failed", message: reason.message, actionId: null };
    case "shutdown":
    case "cancelled":
    case "replaced":
      return { kind: "cancelled", reason: reason.kind, message: reason.message };
  }
}

/** The copies are what they are; but a lock left behind is no clean end. */
export function withTroubles(outcome: JobOutcome, troubles: readonly string[]): JobOutcome {
  if (outcome.kind !== "ok" && outcome.kind !== "warning") return outcome;
  const before = outcome.kind === "warning" ? [outcome.message] : [];
  return { kind: "warning", message: [...before, ...troubles].join("; ") };
}

/** Whatever the actions say: without the lock somebody else may have written at the same time. */
export function withLostLock(outcome: JobOutcome, reason: AbortReason): JobOutcome {
  return outcome.kind === "ok" || outcome.kind === "warning" ? cancelledOutcome(reason) : outcome;
}
