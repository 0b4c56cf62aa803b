import { absolute, excludes, holds } from "./check-overlap.ts";
import { expandHome, isThisHost } from "./paths.ts";
import type { KeyPath } from "./problem.ts";
import { isRecord, recordsOf } from "./tree.ts";
import type { WatchedJob } from "./watched-job.ts";

/** A directory or file that a run writes. */
interface Written {
  readonly file: string;
  /** Files whose ending does not count are not watched; a directory may hold any. */
  readonly kind: "file" | "directory";
  readonly where: KeyPath;
}

/**
 * What a run writes below a directory that it watches causes the next run, without end. What
 * `watch.exclude` names is not watched.
 */
export function checkWatchLoops(watched: WatchedJob): void {
  const { log } = watched;
  for (const written of ownFiles(watched)) {
    const source = findWatched(written, watched);
    if (source === undefined) continue;
    log.error(
      written.where,
      `lies in ${source}, which the job watches: each run would cause the next. Move it, or name it in watch.exclude`,
    );
  }
  for (const written of destinations(watched)) {
    const source = findWatched(written, watched);
    if (source === undefined) continue;
    log.warning(
      written.where,
      `lies in ${source}, which the job watches: what is copied causes one more run. Name it in watch.exclude`,
    );
  }
  for (const written of programFiles(watched)) {
    const source = findWatched(written, watched);
    if (source === undefined) continue;
    log.warning(
      written.where,
      `${written.file} lies in ${source}, which job ${watched.job.id} watches: what the program writes there causes runs. Name it in watch.exclude`,
    );
  }
}

/** The watched directory in which a file lies; undefined if there is none, or if it is left out there. */
function findWatched({ file, kind }: Written, watched: WatchedJob): string | undefined {
  const { watch, syncs, clusters, home } = watched;
  if (kind === "file" && !endingCounts(file, watched)) return undefined;
  const target = absolute(expandHome(file, home));
  const sources = [
    ...syncs.flatMap(({ action }) => action.source ?? []),
    ...clusters.flatMap(({ action }) => action.path ?? []),
  ];
  const paths = watch.paths === undefined ? sources : [watch.paths].flat();
  const patterns = [watch.exclude ?? []].flat();
  return paths.find((path) => {
    const full = absolute(expandHome(path, home));
    // A leading slash of a pattern stands for the watched directory.
    return holds(full, target) && !excludes(patterns, { source: `${full}/`, from: full, target });
  });
}

function endingCounts(file: string, { watch, syncs, clusters }: WatchedJob): boolean {
  const all = clusters.length > 0 || syncs.some(({ action }) => (action.extensions ?? []).length === 0);
  const endings = watch.extensions ?? (all ? [] : syncs.flatMap(({ action }) => action.extensions ?? []));
  return endings.length === 0 || endings.some((ending) => file.endsWith(ending));
}

/** What each run of the job writes on this host, besides the copies. */
function ownFiles({ job, path, log }: WatchedJob): Written[] {
  const files: Written[] = [];
  const track: unknown = job.track_changes;
  if (isRecord(track) && track["enabled"] !== false) {
    for (const [key, kind] of [
      ["backup_dir", "directory"],
      ["log_file", "file"],
    ] as const) {
      const file = track[key];
      const where = [...path, "track_changes", key];
      if (typeof file === "string" && log.isSound(where)) files.push({ file, kind, where });
    }
  }
  for (const [index, lock] of recordsOf(job.lock_files)) {
    const where = [...path, "lock_files", index, "path"];
    const { type, path: file } = lock;
    if (type === "local" && typeof file === "string" && log.isSound(where)) files.push({ file, kind: "file", where });
  }
  return files;
}

function destinations({ job, path, syncs, log }: WatchedJob): Written[] {
  if (!log.isSound([...path, "host"]) || !log.isSound([...path, "type"])) return [];
  if (job.type === "remote" && !isThisHost(job.host ?? "")) return [];
  return syncs.flatMap(({ action, path: here }) => {
    const where = [...here, "dest"];
    return action.dest?.startsWith("/") === true && log.isSound(where)
      ? [{ file: action.dest, kind: "directory", where }]
      : [];
  });
}

/** What the director itself writes. */
function programFiles({ root, log }: WatchedJob): Written[] {
  const { state_dir: stateDir } = root;
  const files: Written[] = [];
  if (typeof stateDir === "string" && log.isSound(["state_dir"]))
    files.push({ file: stateDir, kind: "directory", where: ["state_dir"] });
  for (const [index, output] of recordsOf(root["logging"])) {
    const where = ["logging", index, "path"];
    const { type, path: file } = output;
    if (type === "file" && typeof file === "string" && log.isSound(where)) files.push({ file, kind: "file", where });
  }
  return files;
}
