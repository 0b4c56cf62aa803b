import type { RunSize } from "../model/run-size.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** The last successful runs of a job, at most `limit`, oldest first. Costs what it returns: an index leads the way. */
export function readRunSizes(database: SqlDatabase, jobId: string, limit: number): RunSize[] {
  const rows = database.all(
    `SELECT finished_at - started_at - coalesce(waited_ms, 0) AS duration,
       (SELECT sum(transferred_bytes) FROM actions WHERE job = jobs.id) AS bytes
     FROM jobs WHERE job_id = ? AND outcome IN ('ok', 'warning') AND finished_at IS NOT NULL
     ORDER BY run DESC LIMIT ?`,
    jobId,
    limit,
  );
  return rows
    .map(({ duration, bytes }) => ({
      bytes: typeof bytes === "number" ? bytes : null,
      durationMs: Math.max(0, Number(duration)),
    }))
    .toReversed();
}
