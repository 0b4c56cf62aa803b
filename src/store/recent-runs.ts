import type { OutcomeKind } from "../model/run.ts";
import type { RecentRun } from "../model/status.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** One of the last runs of a job, with what was said of it. */
export interface RecentJobRun extends RecentRun {
  /** null: it ended without a word, or nobody knows when it did. */
  readonly message: string | null;
  readonly finishedAt: number;
}

/**
 * The index over jobs leads the way, so that it costs the same however many runs there are. The sums are of every
 * try: what was sent again was sent.
 */
const recentSql = `SELECT r.run_id, j.outcome, j.message, j.started_at, j.finished_at,
    (SELECT sum(transferred_bytes) FROM actions WHERE job = j.id) AS bytes,
    (SELECT sum(files_transferred) FROM actions WHERE job = j.id) AS files
  FROM jobs j CROSS JOIN runs r ON r.id = j.run
  WHERE j.job_id = ? AND j.outcome IS NOT NULL AND (j.outcome <> 'skipped' OR j.reason = 'block-timeout')
  ORDER BY j.run DESC LIMIT ?`;

/** Oldest first. A run that was interrupted has no end that anybody knows: it lasted 0 ms. */
export function readRecentRuns(database: SqlDatabase, jobId: string, limit: number): RecentJobRun[] {
  const numberOrNull = (value: unknown) => (typeof value === "number" ? value : null);
  return database
    .all(recentSql, jobId, limit)
    .map((row) => {
      const startedAt = Number(row["started_at"]);
      const finishedAt = numberOrNull(row["finished_at"]) ?? startedAt;
      return {
        runId: String(row["run_id"]),
        outcome: row["outcome"] as OutcomeKind,
        message: typeof row["message"] === "string" ? row["message"] : null,
        startedAt,
        finishedAt,
        durationMs: Math.max(0, finishedAt - startedAt),
        bytes: numberOrNull(row["bytes"]),
        files: numberOrNull(row["files"]),
      };
    })
    .toReversed();
}
