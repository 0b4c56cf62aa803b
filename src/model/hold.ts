/**
 * A kernel lock that a writer takes on its host and keeps for as long as one of its processes lives
 * (docs/locking.md, "The hold lock").
 */
export interface HoldClaim {
  /** File that is locked with flock(2). It is never removed. */
  readonly hold: string;
  /**
   * The lock file, when it lies on the same host: it has to carry the token when the writer starts. Where it does
   * not, the hold file must not name the token as dead.
   */
  readonly lock: string | undefined;
  readonly token: string;
  /**
   * Other writers with the same token may have it locked as well. Alone is safer: it also keeps a writer away
   * whose lock file was removed by hand while the first one lives.
   */
  readonly shared?: boolean;
}

/** What the actions of a job may have left behind that still writes. */
export interface WritersLeft {
  /** Processes of ours that could not be killed. */
  readonly survivors: readonly number[];
  /** Ids of the targets where a writer held the kernel locks, and may still. */
  readonly atTargets: readonly string[];
}

/** A shell can keep the descriptors 3 to 9 open for a writer: more cannot be redirected everywhere. */
export const mostHolds = 7;

/**
 * For one target: whether a second writer would be refused by the kernel of the host that is written. `none`: the job
 * has no lock files or copies nothing, so that there is nothing to fence.
 */
export type Fencing =
  | { readonly kind: "fenced"; readonly holds: readonly HoldClaim[] }
  | { readonly kind: "unfenced"; readonly reason: string }
  | { readonly kind: "none" };
