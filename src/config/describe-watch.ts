import { exactDuration, listOrNothing } from "./describe-parts.ts";
import type { Guard, Watch } from "./resolved.ts";
import type { TrackChanges } from "./resolved-tracking.ts";
import type { Tree } from "./tree.ts";

export function describeWatch(watch: Watch | undefined): Tree | undefined {
  if (watch === undefined) return undefined;
  const { deleteWatched, deleteOnFull } = watch;
  return {
    paths: listOrNothing(watch.paths),
    debounce: exactDuration(watch.debounceMs),
    max_delay: exactDuration(watch.maxDelayMs),
    max_batch: watch.maxBatch,
    // An empty list says that all count; without the key those of the syncs would.
    extensions: watch.extensions,
    include: listOrNothing(watch.include),
    exclude: listOrNothing(watch.exclude),
    full_sync_interval: exactDuration(watch.fullSyncIntervalMs),
    full_sync_threshold: watch.fullSyncThreshold,
    on_start: watch.onStart,
    delete: deleteWatched ? (deleteOnFull ? "all" : "watch") : deleteOnFull ? "full" : "off",
  };
}

export function describeGuard(guard: Guard): Tree {
  return {
    require_path: listOrNothing(guard.requirePaths),
    non_empty: guard.nonEmpty,
    max_delete: guard.maxDelete,
    max_delete_percent: guard.maxDeletePercent,
  };
}

export function describeTrackChanges(track: TrackChanges | undefined): Tree | undefined {
  if (track === undefined) return undefined;
  return {
    backup_dir: track.backupDir,
    log_file: track.logFile,
    diff_tool: track.diffTool,
    max_file_size: String(track.maxFileSize),
    log_max_size: String(track.logMaxSize),
    log_keep: track.logKeep,
    keep_last: track.keepLast,
    keep_days: exactDuration(track.keepMs),
    max_size: String(track.maxSize),
  };
}
