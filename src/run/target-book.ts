import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Job, Target } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { JobOutcome, TargetOutcome } from "../model/run.ts";
import type { Turn } from "./sync-lanes.ts";

/** What has become of the targets of one run of a job so far. */
export interface TargetBook {
  /** Those that have not failed. */
  left(): readonly Target[];
  failed(): ReadonlySet<string>;
  /** A sync has ended for a target; `isLast`: the job has no further sync. */
  turned(targetId: string, actionId: string, about: { turn: Turn; isLast: boolean }): void;
  /** Something that has no target went on with a warning. */
  warned(actionId: string, message: string): void;
  /** How the job ends; `failure`: of an action that has no target. */
  outcome(failure?: { readonly actionId: string; readonly message: string }): JobOutcome;
  /** Says of the targets of which nothing was said so far what the end of the job means for them. */
  close(outcome: JobOutcome): void;
}

interface Failure {
  readonly actionId: string;
  readonly message: string;
  readonly tried: boolean;
}

/** A job with one target reads as if there were no targets: its messages name none, and nothing is said of it. */
export function createTargetBook(
  { job, runId }: { job: Job; runId: string },
  { events, clock }: { events: Emitter<DirectorEvents>; clock: Clock },
): TargetBook {
  const { targets } = job;
  const isSeveral = targets.length > 1;
  const failures = new Map<string, Failure>();
  const warnings: { readonly targetId: string; readonly actionId: string; readonly message: string }[] = [];
  const told = new Set<string>();

  const tell = (targetId: string, outcome: TargetOutcome) => {
    if (!isSeveral) return;
    told.add(targetId);
    events.emit("target:result", { runId, jobId: job.id, targetId, outcome, at: clock.now() });
  };
  const tellSuccess = (targetId: string) => {
    const own = warnings.filter((warning) => warning.targetId === targetId);
    const message = [...new Set(own.map((warning) => `${warning.actionId}: ${warning.message}`))].join("; ");
    tell(targetId, message === "" ? { kind: "ok" } : { kind: "warning", message });
  };
  const named = (targetId: string, message: string) => (isSeveral ? `${targetId}: ${message}` : message);

  return {
    left: () => targets.filter(({ id }) => !failures.has(id)),
    failed: () => new Set(failures.keys()),
    turned: (targetId, actionId, { turn, isLast }) => {
      switch (turn.kind) {
        case "cancelled":
          return;
        case "failed": {
          const { message, tried } = turn;
          failures.set(targetId, { actionId, message: `${actionId}: ${named(targetId, message)}`, tried });
          return tell(targetId, { kind: "failed", message: `${actionId}: ${message}` });
        }
        case "warning":
          warnings.push({ targetId, actionId, message: turn.message });
          break;
        case "nothing":
          if (told.has(targetId)) return;
          break;
        case "ok":
          break;
      }
      if (isLast) tellSuccess(targetId);
    },
    warned: (actionId, message) => void warnings.push({ targetId: "", actionId, message }),
    outcome: (failure) => {
      const failed = [...failures.values()];
      if (failure === undefined && failed.length === 0) {
        const message = [...new Set(warnings.map(describe))].join("; ");
        return message === "" ? { kind: "ok" } : { kind: "warning", message };
      }
      const count = `${targets.length - failed.length} of ${targets.length} targets succeeded`;
      const causes = [...(failure === undefined ? [] : [failure.message]), ...failed.map(({ message }) => message)];
      const message = isSeveral && failed.length > 0 ? [...causes, count] : causes;
      const actionId = failure?.actionId ?? failed.find(({ tried }) => tried)?.actionId ?? null;
      return { kind: "failed", message: message.join("; "), actionId };
    },
    close: (outcome) => {
      if (outcome.kind !== "failed" && outcome.kind !== "cancelled") return;
      for (const { id } of targets) if (!told.has(id)) tell(id, { kind: outcome.kind, message: outcome.message });
    },
  };

  function describe({ targetId, actionId, message }: (typeof warnings)[number]): string {
    return `${actionId}: ${targetId === "" ? message : named(targetId, message)}`;
  }
}
