import type { WatchState } from "./changes.ts";
import type { LockPlace, OutcomeKind, RunCause } from "./run.ts";
import type { TransferProgress } from "./transfer.ts";

/**
 * Whether copies are as new as their schedule promises. `unmeasured`: nothing says how new they have to be.
 * `unknown`: nobody can say, because the history does not work; it is never taken for fresh.
 */
export type Freshness = "fresh" | "stale" | "never" | "unmeasured" | "unknown";

/** All that a person asks of a running director. Times are wall-clock milliseconds. */
export interface InstanceStatus {
  readonly rsyncId: string;
  readonly version: string;
  readonly pid: number;
  readonly hostname: string;
  readonly startedAt: number;
  /** When this was put together. */
  readonly at: number;
  /** Absolute path of the configuration that is in use. */
  readonly configFile: string;
  readonly configLoadedAt: number;
  /** The last request to read it again; null: there was none. A refused one has left everything as it was. */
  readonly lastReload: { readonly at: number; readonly ok: boolean; readonly message: string } | null;
  readonly history: { readonly ok: boolean; readonly detail: string };
  /** null: the clock goes on as it should. */
  readonly clockDoubt: ClockDoubt | null;
  /** In the order of the configuration. */
  readonly jobs: readonly JobStatus[];
  /** Accepted and not finished, oldest first. */
  readonly runs: readonly OpenRun[];
}

/** The host's clock is far ahead of when it was last seen, and nothing more is deleted for its age. All by that clock. */
export interface ClockDoubt {
  readonly since: number;
  /** What it said when it was last believed; null: nobody knows. */
  readonly lastSeenAt: number | null;
  /** From then on it is believed, if it goes on. */
  readonly until: number;
}

export interface OpenRun {
  readonly runId: string;
  readonly state: "queued" | "running";
  readonly jobs: readonly string[];
  readonly cause: RunCause;
  readonly queuedAt: number;
  readonly startedAt: number | null;
}

export interface JobStatus {
  readonly jobId: string;
  /** Of the configuration. */
  readonly enabled: boolean;
  /** `waiting`: for the locks of others. */
  readonly activity: "idle" | "queued" | "waiting" | "running";
  /** null: it is not paused. */
  readonly paused: Pause | null;
  /** The worst of its targets. */
  readonly freshness: Freshness;
  /** One for each target, in the order of the configuration; never empty. */
  readonly targets: readonly TargetStatus[];
  readonly lastRun: LastRun | null;
  readonly lastSuccessAt: number | null;
  /** null: no schedule will run it. */
  readonly nextRunAt: number | null;
  readonly schedules: readonly string[];
  /** null: it does not watch. */
  readonly watch: WatchState | null;
  /** The run it is part of just now. */
  readonly runId: string | null;
  readonly waitingFor: WaitingFor | null;
  readonly actions: readonly ActiveAction[];
  readonly locks: readonly HeldLock[];
  /** In its last run that took locks; null: there was none since the director started. */
  readonly fencing: JobFencing | null;
  /** Hosts that allow less than full locks, of those that it takes and those that it waits for; as found last. */
  readonly lockLimits: readonly LockLimit[];
}

/** Whether anything but the lock files keeps a second writer away from what a job writes. */
export interface JobFencing {
  /** `none`: there is nothing to fence. */
  readonly state: "fenced" | "unfenced" | "none";
  /** Why it is unfenced, and at which targets; else null. */
  readonly reason: string | null;
}

/** How far locks on a host, or in a directory of it, can be kept. */
export interface LockLimit {
  /** null: this host. */
  readonly host: string | null;
  /** `sftp`: stale ones are never broken, nor are kernel locks to be had. `refused`: a job that takes one fails. */
  readonly mode: "sftp" | "refused";
  readonly detail: string;
}

/** A paused job runs for nobody; what asks for it meanwhile is recorded as skipped. */
export interface Pause {
  readonly since: number;
  /** null: until somebody resumes it. */
  readonly until: number | null;
  readonly by: string;
  readonly reason: string | null;
}

export interface TargetStatus {
  readonly targetId: string;
  readonly freshness: Freshness;
  readonly lastOutcome: OutcomeKind | null;
  readonly lastFinishedAt: number | null;
  readonly lastSuccessAt: number | null;
  /** Of a job that watches: what has changed and not arrived. null: nothing. */
  readonly pending: {
    /** null: a complete sync is due, nobody knows how many. */
    readonly files: number | null;
    readonly oldestAt: number;
  } | null;
}

export interface LastRun {
  readonly runId: string;
  /** Of the job in it. */
  readonly outcome: OutcomeKind;
  readonly message: string | null;
  readonly startedAt: number;
  readonly finishedAt: number;
}

export interface WaitingFor {
  readonly place: LockPlace;
  /** `unknown`: nobody could say whether the file is there. */
  readonly state: "held" | "unknown";
  /** First line of the lock file, or who it says it is. */
  readonly owner: string | null;
  readonly detail: string;
  /** When the job began to wait for whatever was in the way first. */
  readonly since: number;
}

export interface ActiveAction {
  readonly actionId: string;
  /** Empty: the job has one target. */
  readonly targetId: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly progress: TransferProgress | null;
  /** At the present rate; null: it cannot be told. */
  readonly millisecondsLeft: number | null;
}

export interface HeldLock {
  readonly place: LockPlace;
  readonly token: string;
  readonly since: number;
  readonly state: "claimed" | "held" | "suspect" | "stuck";
}

/** One bar of the strip of a job's last runs. */
export interface RecentRun {
  readonly runId: string;
  readonly outcome: OutcomeKind;
  readonly startedAt: number;
  readonly durationMs: number;
  /** Sums over its syncs; null: none of them said. */
  readonly bytes: number | null;
  readonly files: number | null;
}

/** A lock file that the configuration names, as it is just now. */
export interface LockView {
  readonly place: LockPlace;
  /** `unknown`: nobody can say, which counts as held. */
  readonly state: "free" | "claim" | "held" | "foreign" | "unknown";
  /** Who holds it, for people: `laptop01 on host laptop (pid 4711)`. */
  readonly owner: string | null;
  readonly ours: boolean;
  readonly job: string | null;
  readonly ageSeconds: number | null;
  /** Since its owner gave the last sign of life. */
  readonly silentSeconds: number | null;
  readonly detail: string | null;
  /** Jobs of this configuration that take it, and those that wait for it. */
  readonly takenBy: readonly string[];
  readonly blocks: readonly string[];
}
