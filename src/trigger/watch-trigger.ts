import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Job, Watch } from "../config/resolved.ts";
import { type ChangeDestination, type ChangesFeed, csync2Target } from "../model/changes.ts";
import type { DirtyStore, PendingSummary } from "../model/changes.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest } from "../model/run.ts";
import { DirtyJournal, type JournalEntry } from "../watch/dirty-journal.ts";
import { withoutTemporaries } from "../watch/csync2-temporaries.ts";
import { createInotifyLedger, type InotifyLedger } from "../watch/inotify-ledger.ts";
import { createPathWatcher } from "../watch/path-watcher.ts";
import { createWatchFilter } from "../watch/watch-filter.ts";
import { fingerprintOf, watchedFingerprintOf } from "./sync-fingerprint.ts";
import { WatchedJob } from "./watched-job.ts";
import type { WatchListener } from "./watched-job-deps.ts";
import { type WatchedEntry, WatchedJobs } from "./watched-jobs.ts";

export interface WatchTrigger extends ChangesFeed {
  /** Resolves when all watches are up and the first runs are asked for. */
  start(): Promise<void>;
  /** Ends the watches; runs may still report what has arrived. */
  stop(): Promise<void>;
  /** Every run has ended: writes down that nothing is missing in the journal, unless something may be. */
  close(end: { inOrder: boolean }): void;
  /** Goes on with the jobs of another configuration; see `WatchedJobs`. */
  reconfigure(jobs: readonly Job[]): void;
  /** What has not arrived, of all destinations. */
  pending(): PendingSummary[];
}

/** Runs jobs when files change, and knows for every run what it has to carry. */
export function createWatchTrigger(options: {
  jobs: readonly Job[];
  store: DirtyStore;
  submit: (request: RunRequest) => void;
  clock: Clock;
  events: Emitter<DirectorEvents>;
  log: Logger;
}): WatchTrigger {
  const { store, clock, log } = options;
  const journal = new DirtyJournal({ store, clock });
  const ledger = createInotifyLedger();
  const entries = watchedEntries(options.jobs);
  journal.open(entries.flatMap((entry) => entry.entries));
  const open = ({ job, watch, entries: own }: WatchedEntry) => {
    const destinations = own.map(({ of }) => of);
    const openWatchers = (given: WatchListener) => {
      const listener = destinations.every(({ targetId }) => targetId === csync2Target) ? deafToCsync2(given) : given;
      return watch.paths.map((root) =>
        openWatcher(root, watch, { listener, ledger, clock, log: log.child({ job: job.id }) }),
      );
    };
    return new WatchedJob({ ...options, job, watch, destinations, journal, openWatchers });
  };
  const watched = new WatchedJobs(entries, { ...options, journal, open });
  return {
    start: () => watched.start(),
    stop: () => watched.stop(),
    reconfigure: (jobs) => watched.reconfigure(watchedEntries(jobs)),
    close: (end) => journal.close(end),
    pending: () => journal.summaries(),
    begin: (of, cause) => watched.get(of.jobId)?.begin(of, cause),
    untilPending: (of, signal) => watched.get(of.jobId)?.untilPending(of, signal) ?? Promise.resolve(false),
  };
}

/** Every job that watches, and the targets of its syncs. */
export function watchedTargets(jobs: readonly Job[]): { id: string; targetIds: string[] }[] {
  return jobs.flatMap((job) => {
    if (job.watch === undefined || !job.enabled) return [];
    return [{ id: job.id, targetIds: [...new Set(destinationsOf(job).map(({ targetId }) => targetId))] }];
  });
}

/** What csync2 itself leaves behind on its way is no change that it had to carry. */
function deafToCsync2(listener: WatchListener): WatchListener {
  return {
    ...listener,
    onChanges: (set) => {
      if (set.kind !== "paths") return listener.onChanges(set);
      const changes = withoutTemporaries(set.changes);
      if (changes.length > 0) listener.onChanges({ kind: "paths", changes });
    },
  };
}

function openWatcher(
  root: string,
  watch: Watch,
  { listener, ...deps }: { listener: WatchListener; ledger: InotifyLedger; clock: Clock; log: Logger },
) {
  const { extensions, include, exclude } = watch;
  return createPathWatcher({
    ...deps,
    root,
    filter: createWatchFilter({ extensions, include, exclude }),
    onChanges: (changes) => listener.onChanges({ kind: "paths", changes }),
    onEverything: (reason) => listener.onChanges({ kind: "everything", reason }),
    onState: () => listener.onState(),
  });
}

/** Where the changes of a job have to arrive: each sync at each target, and csync2 at its own peers. */
function destinationsOf(job: Job): ChangeDestination[] {
  return job.actions.flatMap((action): ChangeDestination[] => {
    const of = { jobId: job.id, actionId: action.id };
    if (action.kind === "csync2") return [{ ...of, targetId: csync2Target }];
    if (action.kind !== "sync") return [];
    return job.targets.map(({ id }) => ({ ...of, targetId: id }));
  });
}

function watchedEntries(jobs: readonly Job[]): WatchedEntry[] {
  return jobs.flatMap((job) => {
    const { watch } = job;
    return watch === undefined ? [] : { job, watch, entries: entriesOf(job, watch) };
  });
}

function entriesOf(job: Job, watch: Watch): JournalEntry[] {
  const { onStart, fullSyncThreshold: mostPaths } = watch;
  const common = { watched: watchedFingerprintOf(watch), onStart, mostPaths };
  return destinationsOf(job).map((of) => ({ of, fingerprint: fingerprintOf(job, of), ...common }));
}
