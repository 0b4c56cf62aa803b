import { absolute, holds } from "./check-overlap.ts";
import { expandHome } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import { isRecord, recordsOf } from "./tree.ts";

/** Previous copies inside a source are copied themselves. Jobs that watch have a rule of their own. */
export function checkTracking(job: RawJob, path: KeyPath, { home, log }: { home: string; log: ProblemLog }): void {
  const track: unknown = job.track_changes;
  if (!isRecord(track) || track["enabled"] === false || job.watch !== undefined || job.direction === "pull") return;
  const sources = recordsOf(job.actions).flatMap(([index, action]) =>
    log.isSound([...path, "actions", index]) && action["action"] === "sync" ? [action["source"]].flat() : [],
  );
  for (const key of ["backup_dir", "log_file"]) {
    const file = track[key];
    const where = [...path, "track_changes", key];
    if (typeof file !== "string" || !log.isSound(where)) continue;
    const full = absolute(expandHome(file, home));
    const source = sources.find((each) => typeof each === "string" && holds(absolute(each), full));
    if (typeof source !== "string") continue;
    log.warning(where, `lies in the source ${source}: it would be copied along with it. Move it, or exclude it there`);
  }
}
