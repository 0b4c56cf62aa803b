import { absolute, holds } from "./check-overlap.ts";
import { expandHome } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";
import { isRecord } from "./tree.ts";

/**
 * Copies of changed files that lie where a sync reads or writes are copied, or deleted, by it: the tracker leaves its
 * own files alone, rsync does not. Inside a source that is watched they are an error, which `checkWatch` tells.
 */
export function checkTracking(job: RawJob, path: KeyPath, { home, log }: { home: string; log: ProblemLog }): void {
  const track: unknown = job.track_changes;
  if (!isRecord(track) || track["enabled"] === false) return;
  if (!log.isSound([...path, "track_changes"]) || !log.isSound([...path, "actions"])) return;
  const syncs = (job.actions ?? []).filter((action): action is RawSyncAction => action.action === "sync");
  const pulls = job.type === "remote" && job.direction === "pull";
  for (const key of ["backup_dir", "log_file"]) {
    const own = track[key];
    if (typeof own !== "string") continue;
    const at = [...path, "track_changes", key];
    const isInside = (directory: string) => holds(absolute(directory), absolute(expandHome(own, home)));
    const sources = pulls || job.watch !== undefined ? [] : syncs.flatMap(({ source }) => source);
    const dests = pulls || job.type === "local" ? syncs.map(({ dest }) => dest) : [];
    const source = sources.find(isInside);
    const dest = dests.find(isInside);
    if (source !== undefined) log.warning(at, `is inside the source ${source}: each sync would copy it; exclude it`);
    else if (dest !== undefined) log.warning(at, `is inside ${dest}: a sync that deletes would delete it; exclude it`);
  }
}
