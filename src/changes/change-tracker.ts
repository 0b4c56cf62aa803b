import type { Clock } from "../base/clock.ts";
import type { TrackedTree } from "../model/tracked-change.ts";
import { ChangeStore, type ChangeStoreDeps } from "./change-store.ts";
import { TrackedSync, TreeProgress } from "./tracked-sync.ts";
import type { TrackingListeners, TrackingSettings } from "./tracking-settings.ts";

export interface ChangeTrackerDeps extends TrackingListeners {
  /** By job; a job that is not there is not tracked. */
  readonly settings: ReadonlyMap<string, TrackingSettings>;
  readonly openLedger: ChangeStoreDeps["openLedger"];
  readonly clock: Clock;
  /** From when the ages of previous copies are counted back (ms); the wall clock may be wrong. */
  readonly believedNow: () => number;
  readonly log: ChangeStoreDeps["log"];
}

/** Keeps what the syncs of jobs change: previous copies, differences, a ledger (docs/watching.md). */
export interface ChangeTracker {
  /** For one try of one sync; undefined when its job is not tracked. */
  of(tree: TrackedTree, origin: { runId: string; trigger: string }): TrackedSync | undefined;
  /** Waits for what is being recorded. */
  close(): Promise<void>;
}

export function createChangeTracker(deps: ChangeTrackerDeps): ChangeTracker {
  const { settings, clock } = deps;
  const stores = new Map<string, ChangeStore>();
  const trees = new Map<string, TreeProgress>();
  const storeOf = (root: string) => {
    const logOf = (jobId: string) => logSettings(settings.get(jobId), root);
    const store = stores.get(root) ?? new ChangeStore(root, { ...deps, logOf });
    stores.set(root, store);
    return store;
  };
  return {
    of: (tree, origin) => {
      const found = settings.get(tree.jobId);
      if (found === undefined) return undefined;
      const key = JSON.stringify([tree.jobId, tree.actionId]);
      const progress = trees.get(key) ?? new TreeProgress();
      trees.set(key, progress);
      const store = storeOf(found.backupDir);
      return new TrackedSync({ ...deps, tree, store, settings: found, progress, origin, clock });
    },
    close: async () => {
      for (const store of stores.values()) await store.close();
    },
  };
}

/** Of a job that is not in the configuration any more, what is left goes to the log beside its copies. */
function logSettings(settings: TrackingSettings | undefined, root: string) {
  if (settings === undefined) return { file: `${root}/changes.log`, maxSize: Infinity, keep: 0 };
  return { file: settings.logFile, maxSize: settings.logMaxSize, keep: settings.logKeep };
}
