import type { DirectorEvents } from "../model/events.ts";
import type { InstanceStatus, LockView, Pause, RecentRun } from "../model/status.ts";
import type { ChangeQuery, RecordedChange } from "../model/tracked-change.ts";
import type { RunHistory } from "../store/run-history.ts";

/** What happened, as it is sent to those who follow. */
export type DirectorEvent = {
  [Name in keyof DirectorEvents]: { readonly name: Name; readonly payload: DirectorEvents[Name] };
}[keyof DirectorEvents];

/** The jobs and runs of a request that cannot be met are named; nothing was done. */
export type Refusal =
  /** There is no such job or run. */
  | { readonly kind: "unknown"; readonly message: string }
  /** There is, and it cannot be done now: the run has ended, the job is disabled, the director stops. */
  | { readonly kind: "conflict"; readonly message: string };

export type Answer<T> = { readonly kind: "done"; readonly value: T } | Refusal;

export type ReloadAnswer =
  | { readonly ok: true; readonly message: string; readonly warnings: readonly string[] }
  /** The configuration in use stays. `problems`: one line each, with key and line. */
  | { readonly ok: false; readonly message: string; readonly problems: readonly string[] };

/** Everything that a person can ask of a running director and tell it. `by` says who, for log and history. */
export interface DirectorControl {
  status(): InstanceStatus;
  /** The last runs of a job, oldest first, at most 30. Empty for a job that is not there. */
  recentRuns(jobId: string): readonly RecentRun[];
  /** undefined: the history does not work. */
  queryHistory<T>(ask: (history: RunHistory) => T): T | undefined;
  /** Newest first; undefined: the ledger does not work, or nothing is tracked. */
  changes(query: ChangeQuery): readonly RecordedChange[] | undefined;
  /** The unified difference of one change; undefined: there is none. */
  changeDiff(id: number): Promise<string | undefined>;
  /** Looks at every lock file that the configuration names; takes as long as the hosts take, at most 10 s. */
  locks(): Promise<readonly LockView[]>;
  /** The next `count` times of every schedule. */
  schedule(count: number): readonly {
    readonly jobs: readonly string[];
    readonly schedule: string;
    /** Wall-clock milliseconds. */
    readonly times: readonly number[];
  }[];

  /** Empty `jobs`: every enabled job. */
  run(jobs: readonly string[], by: string): Answer<{ readonly runId: string }>;
  /** Resolves when the run has ended and its locks are free. */
  cancel(runId: string, by: string): Promise<Answer<{ readonly runId: string }>>;
  /** A run in progress goes on. `until` null: until `resume`. Kept over restarts. */
  pause(jobId: string, pause: { until: number | null; by: string; reason: string | null }): Answer<Pause>;
  resume(jobId: string, by: string): Answer<{ readonly wasPaused: boolean }>;
  reload(by: string): Promise<ReloadAnswer>;

  /**
   * Calls `listener` for what happens from now on; with `runId` only for that run, after its last thousand
   * events. Returns what ends that.
   */
  follow(options: { runId?: string; jobId?: string }, listener: (event: DirectorEvent) => void): () => void;
  /** Calls `listener` at most once a second, and only when the status has changed. Returns what ends that. */
  onStatus(listener: (status: InstanceStatus) => void): () => void;
}
