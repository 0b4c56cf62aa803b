import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { PathChange } from "../model/changes.ts";
import type { InotifyLedger } from "./inotify-ledger.ts";
import type { WatchFilter } from "./watch-filter.ts";
import type { TreeWatchState } from "./watch-state.ts";

export interface TreeWatcherOptions {
  /** Absolute, without a slash at its end. A link to a directory is followed, also when it leads elsewhere later. */
  readonly root: string;
  readonly filter: WatchFilter;
  /** One for all watchers of the process. */
  readonly ledger: InotifyLedger;
  /** Absolute paths below `root` as it is written, merged as PendingChanges says; once per turn of the event loop. */
  readonly onChanges: (changes: readonly PathChange[]) => void;
  /** It is not known what changed: only a complete sync will do. */
  readonly onEverything: (reason: string) => void;
  /** Whenever something is not seen any more, or is seen again. */
  readonly onState: (state: TreeWatchState) => void;
  /** There is no directory at the root, but nothing or something else; told at each look that finds it so. */
  readonly onNoDirectory?: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often (ms) mounts, the root and what could not be watched are looked at. */
  readonly rescanMs?: number;
  /** How often (ms) `onEverything` is called for as long as there are not enough watches. */
  readonly scanMs?: number;
}

export interface TreeWatcher {
  /** When it resolves every later change is reported; if the root is not there, from when it is. */
  start(): Promise<void>;
  close(): Promise<void>;
  state(): TreeWatchState;
}
