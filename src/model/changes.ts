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

/** What a sync of one target has to carry. */
export type SyncScope =
  | { readonly kind: "full"; readonly reason: string }
  | { readonly kind: "paths"; readonly changes: readonly PathChange[] };

/** How long something has been on its way to a target, for metrics and people. */
export interface PendingSummary extends ChangeDestination {
  /** Paths that have not arrived; null: a complete sync is due, nobody knows how many. */
  readonly files: number | null;
  /** Wall-clock time (ms) of the oldest of them. */
  readonly oldestAt: number;
}
