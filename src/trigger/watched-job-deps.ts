import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Job, Watch } from "../config/resolved.ts";
import type { ChangeDestination, ChangeSet } from "../model/changes.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest } from "../model/run.ts";
import type { DirtyJournal } from "../watch/dirty-journal.ts";
import type { TreeWatcher } from "../watch/tree-watcher-contract.ts";

export interface WatchedJobDeps {
  readonly job: Job;
  readonly watch: Watch;
  readonly destinations: readonly ChangeDestination[];
  /** Open, with the destinations in it. */
  readonly journal: DirtyJournal;
  /** Makes the watchers, one for each of `watch.paths`. */
  readonly openWatchers: (listener: WatchListener) => readonly TreeWatcher[];
  readonly submit: (request: RunRequest) => void;
  readonly clock: Clock;
  readonly events: Emitter<DirectorEvents>;
  readonly log: Logger;
}

export interface WatchListener {
  readonly onChanges: (changes: ChangeSet) => void;
  readonly onState: () => void;
}
