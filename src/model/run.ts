import type { AbortKind } from "../base/abort.ts";
import type { TransferStats } from "./transfer.ts";

/** Who asked for a run. `schedule` is the cron expression, `scheduledFor` its wall time (ms). */
export type RunCause =
  | { kind: "schedule"; schedule: string; scheduledFor: number; missed: boolean }
  | { kind: "signal" }
  | { kind: "request"; by: string }
  | { kind: "watch"; path: string };

/** Jobs to run, in this order. */
export interface RunRequest {
  jobs: readonly string[];
  cause: RunCause;
}

/** What a finished child process left behind. */
export interface ActionReport {
  argv: readonly string[];
  exitCode: number | null;
  /** Name of the signal that ended it. */
  signal: string | null;
  stats: TransferStats | null;
  /** The last part of what it wrote (at most 1 MiB), standard output and error as they came. */
  output: string;
  /** Processes that even SIGKILL did not end and that may still write: the job's locks have to stay. */
  survivors?: readonly number[];
  /** Nothing was written: it was turned away at the destination, never let in there, or there was nothing to do. */
  turnedAway?: boolean;
}

/**
 * `failed.cause`: `exit` is a bad exit code, `process` a program that could not be started or was
 * killed by somebody else, `exception` a bug or an impossible configuration. The original counts them
 * in three metrics.
 */
export type ActionOutcome =
  | { kind: "ok"; report: ActionReport }
  | { kind: "warning"; message: string; report: ActionReport }
  | {
      kind: "failed";
      cause: "exit" | "process" | "exception";
      message: string;
      retryable: boolean;
      report: ActionReport | null;
    }
  | { kind: "cancelled"; reason: AbortKind; message: string; report: ActionReport | null };

/** Where a lock file lies: `null` is this host. */
export interface LockPlace {
  host: string | null;
  path: string;
}

/**
 * `hook`: a hook that runs at the start said that the job has to wait for a better time. `dry-run`: the whole director
 * only pretends.
 */
export type SkipCause = "block-timeout" | "already-running" | "disabled" | "paused" | "hook" | "dry-run";

/** How a job ended. Only `ok` and `warning` mean that the copies are fresh. */
export type JobOutcome =
  | { kind: "ok" }
  | { kind: "warning"; message: string }
  | { kind: "skipped"; cause: SkipCause; message: string }
  | { kind: "failed"; message: string; actionId: string | null }
  | { kind: "cancelled"; reason: AbortKind; message: string };

export type OutcomeKind = JobOutcome["kind"];

/** How the syncs of one target ended. */
export type TargetOutcome =
  { kind: "ok" } | { kind: "warning"; message: string } | { kind: "failed" | "cancelled"; message: string };

export interface JobResult {
  jobId: string;
  outcome: JobOutcome;
  startedAt: number;
  finishedAt: number;
}

export interface RunResult {
  runId: string;
  cause: RunCause;
  startedAt: number;
  finishedAt: number;
  /** The worst of the jobs' outcomes. */
  outcome: OutcomeKind;
  jobs: readonly JobResult[];
}

/** From best to worst; a run is as bad as its worst job. */
const severity: readonly OutcomeKind[] = ["ok", "warning", "skipped", "cancelled", "failed"];

export function worstOutcome(outcomes: readonly OutcomeKind[]): OutcomeKind {
  return outcomes.reduce((worst, kind) => (severity.indexOf(kind) > severity.indexOf(worst) ? kind : worst), "ok");
}

/** Whether the data at the target is as fresh as the source was when the job ran. */
export function isSuccess(outcome: OutcomeKind): boolean {
  return outcome === "ok" || outcome === "warning";
}

/** Whether the outcome tells how the copies are; a job that was not even tried leaves that as it was. */
export function saysSomething(outcome: JobOutcome): boolean {
  return outcome.kind !== "skipped" || outcome.cause === "block-timeout" || outcome.cause === "hook";
}
