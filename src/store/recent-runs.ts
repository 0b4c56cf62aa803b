import type { OutcomeKind } from "../model/run.ts";
import type { RecentRun } from "../model/status.ts";
import type { SqlDatabase, SqlRow } from "./sql-database.ts";

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
const columns = `r.run_id, j.job_id, j.outcome, j.message, j.started_at, j.finished_at,
    (SELECT sum(transferred_bytes) FROM actions WHERE job = j.id) AS bytes,
    (SELECT sum(files_transferred) FROM actions WHERE job = j.id) AS files`;
/** What a run of a job that was not even tried leaves behind says nothing. */
const wasTried = "outcome IS NOT NULL AND (outcome <> 'skipped' OR reason = 'block-timeout')";

const recentSql = `SELECT ${columns}
  FROM (SELECT * FROM jobs WHERE job_id = ? AND ${wasTried} ORDER BY run DESC LIMIT ?) j
  CROSS JOIN runs r ON r.id = j.run ORDER BY j.run DESC`;
const lastSql = `SELECT ${columns}
  FROM (SELECT DISTINCT job_id FROM jobs) known
  CROSS JOIN jobs j ON j.id = (
    SELECT id FROM jobs WHERE job_id = known.job_id AND ${wasTried} ORDER BY run DESC LIMIT 1)
  CROSS JOIN runs r ON r.id = j.run`;

/** Oldest first. */
export function readRecentRuns(database: SqlDatabase, jobId: string, limit: number): RecentJobRun[] {
  return database.all(recentSql, jobId, limit).map(recentRun).toReversed();
}

/** The last run of every job that the history knows. */
export function readLastRuns(database: SqlDatabase): Map<string, RecentJobRun> {
  return new Map(database.all(lastSql).map((row) => [String(row["job_id"]), recentRun(row)]));
}

/** A run that was interrupted has no end that anybody knows: it lasted 0 ms. */
function recentRun(row: SqlRow): RecentJobRun {
  const numberOrNull = (value: unknown) => (typeof value === "number" ? value : null);
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
}
