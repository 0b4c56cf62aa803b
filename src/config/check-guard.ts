import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";
import { deletesAtDest } from "./sync-report.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** A limit for deletions in a job that deletes nothing: perhaps `delete` was forgotten. `own`: without `defaults`. */
export function checkGuard(job: RawJob, own: Tree, path: KeyPath, log: ProblemLog): void {
  const { guard } = own;
  if (!isRecord(guard) || !log.isSound([...path, "actions"]) || !log.isSound([...path, "watch"])) return;
  const limits = ["max_delete", "max_delete_percent"].filter((key) => Object.hasOwn(guard, key));
  if (limits.length === 0 || (job.watch?.delete ?? "off") !== "off") return;
  const syncs = recordsOf(job.actions).filter(([, action]) => action["action"] === "sync");
  if (syncs.some(([, action]) => deletesAtDest(job, action as unknown as RawSyncAction))) return;
  for (const key of limits) {
    log.warning(
      [...path, "guard", key],
      "limits nothing: no sync of the job deletes. Set rsync: {delete: true} in the sync, or delete in watch, if it should",
    );
  }
}
