import type { RsyncOptions } from "../base/rsync-options.ts";
import type { WebListen } from "./web-listen.ts";
import type { Channel, Hook } from "./resolved-notify.ts";
import type { TrackChanges } from "./resolved-tracking.ts";

/**
 * The configuration as the program uses it: defaults filled in, older formats upgraded, durations in
 * milliseconds, inheritance done. What a person may write is in `schema.ts`; `resolve.ts` leads from
 * one to the other. Everything here is plain, frozen data.
 */
export interface Config {
  /** The file it was read from, absolute. */
  readonly file: string;
  readonly rsyncId: string;
  /** Cron expressions of the instance: they run every enabled job that has no schedule of its own. */
  readonly schedules: readonly string[];
  readonly scheduling: Scheduling;
  /** undefined: the daemon chooses (`/run/rsyncdirector`, else the user's runtime directory). */
  readonly pidFileDir: string | undefined;
  /** undefined: the daemon chooses (`$STATE_DIRECTORY`, `/var/lib/rsyncdirector`, else XDG). */
  readonly stateDir: string | undefined;
  /** Whether logind is asked to put off sleep while a job works. */
  readonly inhibitSleep: boolean;
  readonly metrics: MetricsListen;
  /** undefined: there is no page, and the API answers on the control socket alone. */
  readonly web: WebListen | undefined;
  readonly logging: readonly LogOutput[];
  readonly history: HistoryRetention;
  /** Longest time for one operation on the locks of one host. */
  readonly lockOperationTimeoutMs: number;
  readonly notify: readonly Channel[];
  readonly jobs: readonly Job[];
}

/** How times are computed from cron expressions, and what happens to times that passed unused. */
export interface Scheduling {
  /** IANA name; undefined is the host's zone. */
  readonly timezone: string | undefined;
  /** `apscheduler` reads weekdays from 0 = Monday and joins both day fields with AND, as the original. */
  readonly cronDialect: "linux" | "apscheduler";
  /** The file itself says which dialect it is written in. */
  readonly dialectChosen: boolean;
  /** Up to so much is added to every time, the same for one job each day. */
  readonly jitterMs: number;
  /** `once`: times missed while the daemon was down or asleep are made up by one run. */
  readonly onMissed: "skip" | "once";
  /** A missed time older than this is not made up any more; undefined: no limit. */
  readonly startingDeadlineMs: number | undefined;
}

export interface MetricsListen {
  readonly addr: string;
  /** 0 lets the kernel choose (tests). */
  readonly port: number;
  readonly startupTimeoutMs: number;
  readonly startupRetryWaitMs: number;
  readonly startupRetryLimit: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogOutput =
  | { readonly type: "stdout"; readonly level: LogLevel; readonly format: "auto" | "json" | "text" | "logfmt" }
  | {
      readonly type: "file";
      readonly path: string;
      readonly level: LogLevel;
      readonly format: "json" | "text" | "logfmt";
    };

/** Older runs, and runs beyond the count, leave the history. */
export interface HistoryRetention {
  readonly keepRuns: number;
  readonly keepMs: number;
}

/** How to reach an account on another host; rsync and the locks use the very same values. */
export interface SshEndpoint {
  readonly host: string;
  /** undefined: what the ssh configuration says, else the current user. */
  readonly user: string | undefined;
  /** undefined: what the ssh configuration says, else 22. */
  readonly port: number | undefined;
  readonly identityFile: string | undefined;
  readonly knownHostsFile: string | undefined;
  readonly hostKeyPolicy: "strict" | "accept-new";
  readonly connectTimeoutMs: number;
  /** Hosts to go through, as `ssh -J` takes them; undefined: what the ssh configuration says. */
  readonly jumpHost: string | undefined;
  /** What carries the lock connections; `auto`: ssh2, and OpenSSH's client for what ssh2 cannot do. */
  readonly transport: "auto" | "ssh2" | "openssh";
  /** Further `-o Name=value` options, for both ssh and the lock connections where they apply. */
  readonly options: Readonly<Record<string, string>>;
  /**
   * Syncs that reach it with the same words share a connection, which is closed when nobody has used it for so long;
   * undefined: every sync connects by itself.
   */
  readonly shareIdleMs?: number | undefined;
}

export type LockFile = (
  | { readonly type: "local"; readonly path: string }
  | { readonly type: "remote"; readonly path: string; readonly endpoint: SshEndpoint }
) &
  LockManners;

/** What else is known of the programs that use a lock file. */
export interface LockManners {
  /** The Python original is among them: it looks first and writes later. */
  readonly peer?: "legacy" | undefined;
  /** A file of another program that is older than this is broken; undefined: never. */
  readonly foreignStaleAfterMs?: number | undefined;
  /** Flaws of the directory that the operator puts up with. */
  readonly allows?: LockAllowances | undefined;
}

/** What a directory for locks may be like, although locks are less safe there. */
export interface LockAllowances {
  /** Others than root and the account may write there. */
  readonly unsafeDirectory: boolean;
  readonly networkFileSystem: boolean;
}

/** How the locks of a job are kept alive, and when those of others count as dead (docs/locking.md). */
export interface LockLease {
  readonly heartbeatMs: number;
  /** Without a sign of life for so long a lock is stale; 0: never. */
  readonly ttlMs: number;
  /** A job whose lock was last confirmed so long ago is stopped. */
  readonly renewDeadlineMs: number;
  /** As `ttlMs`, while the lock is only claimed. */
  readonly claimTtlMs: number;
  /** Locks of others are not taken for stale sooner. */
  readonly minTtlMs: number;
  /** Between claim and second look, when the original is a peer. */
  readonly settleMs: number;
  readonly breakStale: boolean;
  /** What becomes of the job at `renewDeadlineMs`. */
  readonly onUnreachable: "abort" | "continue";
}

export interface Block {
  readonly lock: LockFile;
  /** Time between two looks (a jitter of 20 % is added). */
  readonly waitTimeMs: number;
  /** Longest wait, counted from the job's first look; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  readonly onTimeout: "skip" | "fail";
}

export type TreatAs = "ok" | "warning" | "error" | "retry";

export interface RetryPolicy {
  /** Further tries after the first; 0 is none. */
  readonly limit: number;
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Factor between one delay and the next. */
  readonly backoff: number;
  /** Which exit codes are tried again; undefined: those that may pass. */
  readonly exitCodes: readonly number[] | undefined;
}

export interface Job {
  readonly id: string;
  readonly type: "local" | "remote";
  readonly enabled: boolean;
  readonly direction: "push" | "pull";
  /** Where the syncs lead: one for each of `targets`, else one for `host` or for this host. Never empty. */
  readonly targets: readonly Target[];
  /** So many targets at a time. */
  readonly maxParallel: number;
  /** Own cron expressions; when there are none the instance's schedule runs the job. */
  readonly schedules: readonly string[];
  readonly scheduling: Scheduling;
  readonly lockFiles: readonly LockFile[];
  readonly blocksOn: readonly Block[];
  readonly lease: LockLease;
  /** Whether writers hold a kernel lock at the destination; `auto`: where they can. */
  readonly hold: "auto" | "required" | "off";
  /** Where that lock lies when the lock file is on another host than the one that is written. */
  readonly holdDir: string;
  readonly concurrency: "queue" | "forbid" | "replace";
  /** Bounds the whole job, waiting for locks included. */
  readonly timeoutMs: number | undefined;
  /** An action that neither writes output nor moves bytes for so long is stopped. */
  readonly stallTimeoutMs: number | undefined;
  readonly warnAfterMs: number | undefined;
  readonly retry: RetryPolicy;
  readonly exitCodes: ReadonlyMap<number, TreatAs>;
  readonly allowUnsafeOpts: boolean;
  readonly guard: Guard;
  /** undefined: the job does not watch. */
  readonly watch: Watch | undefined;
  /** undefined: changes are not tracked. */
  readonly trackChanges: TrackChanges | undefined;
  readonly hooks: readonly Hook[];
  readonly actions: readonly Action[];
}

/** One host that gets what the syncs of a job copy (or, with `direction: pull`, that gives it). */
export interface Target {
  /** For logs, metrics and the history: as given, else the host, else `local`. */
  readonly id: string;
  /** undefined: this host. */
  readonly endpoint: SshEndpoint | undefined;
  /** Instead of the destination of the job's sync. */
  readonly dest: string | undefined;
  /** Instead of the sync's own `bwlimit`. */
  readonly bwlimit: string | undefined;
}

/** Without these no sync that deletes is started; `requirePaths` holds for every sync. */
export interface Guard {
  /** Absolute, or relative to each source on this host. */
  readonly requirePaths: readonly string[];
  readonly nonEmpty: boolean;
  readonly maxDelete: number | undefined;
  /** Of the entries at the target. */
  readonly maxDeletePercent: number | undefined;
}

/** When a job is run by what changes in its sources. */
export interface Watch {
  /** Absolute; each is a source of a sync of the job or lies in one. */
  readonly paths: readonly string[];
  readonly debounceMs: number;
  readonly maxDelayMs: number;
  readonly maxBatch: number;
  /** Endings of the files that count; empty: all. */
  readonly extensions: readonly string[];
  /** Patterns in rsync's form, the exceptions from `exclude`. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly fullSyncIntervalMs: number;
  readonly fullSyncThreshold: number;
  readonly onStart: "full" | "none";
  /** Paths that were seen to be deleted are deleted at the targets. */
  readonly deleteWatched: boolean;
  /** A complete sync deletes what it does not find in the source. */
  readonly deleteOnFull: boolean;
}

export type Action = SyncAction | CommandAction | Csync2Action;

export interface SyncAction {
  readonly kind: "sync";
  readonly id: string;
  readonly sources: readonly string[];
  readonly dest: string;
  /** The user's own options, already split into words. */
  readonly opts: readonly string[];
  /** Structured options; `action/` turns them into argv. */
  readonly rsync: RsyncOptions;
  /** Only files with these endings are copied; empty: all. */
  readonly extensions: readonly string[];
  /** So many rsyncs at a time share a complete sync. */
  readonly parallel: number;
}

/** Brings the peers of a csync2 cluster up to date; its targets are the peers, not those of the job. */
export interface Csync2Action {
  readonly kind: "csync2";
  readonly id: string;
  /** Directory of csync2's configuration file (`CSYNC2_SYSTEM_DIR`). */
  readonly systemDir: string;
  /** Name of the configuration (`-C`); undefined: the unnamed one. */
  readonly config: string | undefined;
  /** Name of this host in csync2's configuration (`-N`); undefined: its host name. */
  readonly hostname: string | undefined;
  /** What a complete check looks at, absolute; empty: all that csync2 includes. */
  readonly paths: readonly string[];
  /** Empty: all hosts that share a group with this one. */
  readonly peers: readonly string[];
  /** So many peers at a time. */
  readonly parallelUpdates: number;
  /** With more files than this for a peer, rsync copies first what the peer lacks; undefined: never. */
  readonly rsyncThreshold: number | undefined;
  /** After so many carried paths a complete check takes the place of a list; undefined: never. */
  readonly resetAfter: number | undefined;
  readonly opts: readonly string[];
  readonly mode: "check" | "update";
  /** How rsync reaches a peer that is none of the job's targets. */
  readonly ssh: Omit<SshEndpoint, "host">;
}

export interface CommandAction {
  readonly kind: "command";
  readonly id: string;
  /** Program and arguments; with `shell` true a single script for `/bin/sh -c`. */
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly cwd: string | undefined;
}
