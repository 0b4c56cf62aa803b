import type { RunCause } from "./run.ts";

/**
 * What a watcher saw happen to a path. `changed`: it is there with another content or other attributes, or is
 * new. `tree`: a directory is there whose whole content may be new. `deleted`: it is not there any more.
 */
export type ChangeKind = "changed" | "tree" | "deleted";

export interface PathChange {
  /** Absolute, without a slash at its end. */
  readonly path: string;
  readonly kind: ChangeKind;
}

/** What a watcher hands on. `everything`: it cannot say what changed, and why; only a complete sync will do. */
export type ChangeSet =
  | { readonly kind: "paths"; readonly changes: readonly PathChange[] }
  | { readonly kind: "everything"; readonly reason: string };

/** One place that changes have to arrive at: a target of an action of a job. */
export interface ChangeDestination {
  readonly jobId: string;
  readonly actionId: string;
  readonly targetId: string;
}

/** The id under which all peers of a csync2 action are one destination: csync2 keeps a list for each of them itself. */
export const csync2Target = "csync2";

/** What a sync of one target has to carry. */
export type SyncScope =
  | {
      readonly kind: "full";
      readonly reason: string;
      /** Paths that were seen to be deleted, absolute. */
      readonly deleted?: readonly string[];
      /** Those of them at which a directory was seen to come since: what only the old one had is to go. */
      readonly replaced?: readonly string[];
    }
  | { readonly kind: "paths"; readonly changes: readonly PathChange[] };

/** How long something has been on its way to a target, for metrics and people. */
export interface PendingSummary extends ChangeDestination {
  /** Paths that have not arrived; null: a complete sync is due, nobody knows how many. */
  readonly files: number | null;
  /** Wall-clock time (ms) of the oldest of them. */
  readonly oldestAt: number;
}

/** What is kept of one destination over restarts. */
export interface StoredDestination extends ChangeDestination {
  /** Tells whether the sync still leads from and to where it did, and whether the same files are watched. */
  readonly fingerprint: string;
  /** The director that kept it ended in order: nothing that it saw is missing here. */
  readonly clean: boolean;
  readonly everything: { readonly reason: string; readonly since: number } | null;
  readonly paths: readonly StoredChange[];
}

export interface StoredChange {
  readonly path: string;
  /** `replaced`: something was deleted there, and another has come in its place; a target may still have the old. */
  readonly kind: ChangeKind | "replaced";
  /** Wall-clock time (ms) of the first change that has not arrived. */
  readonly since: number;
}

/** Where the journal of changes is kept. Nothing throws: what cannot be written now is written later. */
export interface DirtyStore {
  /** What an earlier life left; undefined: nobody knows, the store does not work. */
  load(): readonly StoredDestination[] | undefined;
  /** Writes all of a destination but its paths. */
  put(destination: Omit<StoredDestination, "paths">): void;
  add(of: ChangeDestination, changes: readonly StoredChange[]): void;
  /** `null`: all of them. */
  remove(of: ChangeDestination, paths: readonly string[] | null): void;
  /** The destination has left the configuration. */
  forget(of: ChangeDestination): void;
}

/**
 * What a job that watches still has to carry to each of its targets. The journal of changes is behind it; a job
 * that does not watch has nothing of it.
 */
export interface ChangesFeed {
  /**
   * Asked when a sync of one target is about to begin. A run that a watcher asked for carries what is pending; any
   * other run is a complete sync, which carries all of it too. undefined: the job does not watch.
   */
  begin(of: ChangeDestination, cause: RunCause): CarriedChanges | undefined;
  /**
   * Resolves to true when something is pending there, to false when the signal is aborted. With it a target that has
   * everything waits for more while another is still at its first sync; without it the target is done.
   */
  untilPending?(of: ChangeDestination, signal: AbortSignal): Promise<boolean>;
}

export type CarriedChanges =
  /** Nothing is pending: the target has it all. */
  | { readonly kind: "nothing" }
  /** The target failed a short while ago and is left alone until `until` (wall clock, ms). */
  | { readonly kind: "deferred"; readonly until: number; readonly message: string }
  | {
      readonly kind: "carry";
      readonly scope: SyncScope;
      /** The sync succeeded: what it carried is pending no longer. What changed meanwhile still is. */
      arrived(): void;
      /**
       * The sync did not succeed: everything stays pending, and the target is tried again later. Where neither is said,
       * because somebody stopped the sync, everything stays pending too.
       */
      failed(message: string): void;
    };

/** How well a job is watched. */
export interface WatchState {
  readonly directories: number;
  /** Why changes may be missed until the next complete sync; null: they are not. */
  readonly degraded: string | null;
}

/** Finds what is pending at one target; nobody has to go through all of it for each. */
export function pendingByTarget(
  all: readonly PendingSummary[],
): (jobId: string, targetId: string) => readonly PendingSummary[] {
  const keyOf = (jobId: string, targetId: string) => `${jobId}\0${targetId}`;
  const found = new Map<string, PendingSummary[]>();
  for (const summary of all) {
    const key = keyOf(summary.jobId, summary.targetId);
    const own = found.get(key) ?? [];
    own.push(summary);
    found.set(key, own);
  }
  return (jobId, targetId) => found.get(keyOf(jobId, targetId)) ?? [];
}
