import type { ChangeDestination, SyncScope } from "../model/changes.ts";
import type { RunCause } from "../model/run.ts";

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
      /** The sync did not succeed: everything stays pending, and the target is tried again later. */
      failed(message: string): void;
    };
