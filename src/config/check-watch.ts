import { formatDuration, parseDuration } from "../base/duration.ts";
import { absolute, holds } from "./check-overlap.ts";
import { checkWatchLoops } from "./check-watch-loops.ts";
import { expandHome } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";
import type { RawWatch } from "./schema-watch.ts";
import { type Placed, readWatchedJob, type WatchedJob } from "./watched-job.ts";

/** Rules about a job that is run by changes. `job`: after `defaults`; nothing is said below what is wrong already. */
export function checkWatch(job: RawJob, path: KeyPath, about: Pick<WatchedJob, "root" | "home" | "log">): void {
  const watched = readWatchedJob(job, path, about);
  if (watched === undefined) return;
  checkDirection(watched);
  checkSomethingToWatch(watched);
  for (const sync of watched.syncs) checkSources(sync, watched.log);
  checkPaths(watched);
  checkTimings(watched);
  checkConcurrency(watched);
  checkWatchLoops(watched);
}

function checkDirection({ job, path, log }: WatchedJob): void {
  if (job.type !== "remote" || job.direction !== "pull" || !log.isSound([...path, "direction"])) return;
  log.error(
    [...path, "watch"],
    "cannot be used with direction: pull: only this host's files can be watched. Let the other host watch and push, or give the job a schedule",
    { at: "key" },
  );
}

function checkSomethingToWatch(watched: WatchedJob): void {
  const { job, path, watch, syncs, clusters, log } = watched;
  if (!Array.isArray(job.actions) || !log.isSound([...path, "actions"])) return;
  if (syncs.length === 0 && clusters.length === 0) {
    log.error([...path, "watch"], "has nothing to carry: add an action of kind sync, or give the job a schedule", {
      at: "key",
    });
    return;
  }
  const named = syncs.length > 0 || clusters.some(({ action }) => action.path !== undefined);
  if (!named && watch.paths === undefined && log.isSound([...path, "watch", "paths"])) {
    log.error([...path, "watch", "paths"], "is missing: name what to watch, here or in path of the csync2 action");
  }
}

/** The journal speaks of absolute paths, and must find each of them below a source. */
function checkSources({ action, path }: Placed<Partial<RawSyncAction>>, log: ProblemLog): void {
  for (const [index, source] of [action.source ?? []].flat().entries()) {
    const where = Array.isArray(action.source) ? [...path, "source", index] : [...path, "source"];
    if (!source.startsWith("/")) {
      log.error(where, `must be an absolute path in a job that watches; got ${JSON.stringify(source)}`);
    } else if (/(?:^|\/)\.\.(?:\/|$)/.test(source)) {
      log.error(where, `must be written without .. in a job that watches; got ${JSON.stringify(source)}`);
    } else if (/[*?]/.test(source)) {
      log.error(
        where,
        `${JSON.stringify(source)} is no pattern but one name, which cannot be watched: name the directory, and say with include, exclude or extensions what of it`,
      );
    }
  }
}

function checkPaths(watched: WatchedJob): void {
  const { path, watch, syncs, clusters, home, log } = watched;
  // A csync2 action without paths takes what its own configuration names, which is not looked into here.
  if (clusters.some(({ action }) => action.path === undefined)) return;
  const sources = [
    ...syncs.flatMap(({ action }) => action.source ?? []),
    ...clusters.flatMap(({ action }) => action.path ?? []),
  ];
  if (sources.length === 0 || !log.isSound([...path, "actions"])) return;
  for (const [index, given] of [watch.paths ?? []].flat().entries()) {
    const where = Array.isArray(watch.paths) ? [...path, "watch", "paths", index] : [...path, "watch", "paths"];
    const full = absolute(expandHome(given, home));
    if (sources.some((source) => holds(absolute(source), full))) continue;
    log.error(
      where,
      `lies in no source of the job, so that nothing of it is copied: sources are ${sources.join(", ")}`,
    );
  }
}

function checkTimings({ path, watch, log }: WatchedJob): void {
  const { debounce = 5, max_delay = "1m", full_sync_interval = "1h" } = watch;
  const { max_batch: maxBatch = 10_000, full_sync_threshold: threshold = 20_000 } = watch;
  const ms = (value: number | string) => parseDuration(value) ?? 0;
  const text = (value: number | string) => formatDuration(ms(value));
  const sound = (...keys: string[]) => keys.every((key) => log.isSound([...path, "watch", key]));
  // What is wrong is told at a key that was given: the other one may be a default.
  const at = (...keys: (keyof RawWatch)[]) => [...path, "watch", keys.find((key) => watch[key] !== undefined) ?? ""];
  if (sound("debounce", "max_delay") && ms(debounce) > ms(max_delay)) {
    log.error(
      at("max_delay", "debounce"),
      `max_delay (${text(max_delay)}) must not be shorter than debounce (${text(debounce)}): raise max_delay`,
    );
  }
  if (sound("debounce", "full_sync_interval") && ms(debounce) > ms(full_sync_interval)) {
    log.error(
      at("full_sync_interval", "debounce"),
      `full_sync_interval (${text(full_sync_interval)}) must not be shorter than debounce (${text(debounce)}): there would be full syncs only`,
    );
  }
  if (sound("max_batch", "full_sync_threshold") && threshold < maxBatch) {
    log.warning(
      at("full_sync_threshold", "max_batch"),
      `a batch of max_batch (${maxBatch}) is more than full_sync_threshold (${threshold}): each such batch becomes a complete sync`,
    );
  }
  if (watch.include !== undefined && watch.exclude === undefined && sound("exclude")) {
    log.warning([...path, "watch", "include"], "does nothing without exclude: it names the exceptions from it");
  }
}

function checkConcurrency({ job, path, log }: WatchedJob): void {
  if (job.concurrency === "replace" && log.isSound([...path, "concurrency"])) {
    log.warning(
      [...path, "concurrency"],
      "with watch, changes end the sync that is running, again and again: queue runs the job once more after it",
    );
  }
}
