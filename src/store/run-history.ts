import { gunzipSync } from "node:zlib";
import type { LastJobResult } from "../model/events.ts";
import type { OutcomeKind, RunCause } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import { readLockEvents, type LockEventFilter, type LockEventRecord } from "./lock-events.ts";
import { readLastRuns, readRecentRuns } from "./recent-runs.ts";
import { interrupted } from "./run-records.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";

/** `running`: its director lives and has not ended it yet. */
export type RecordedOutcome = OutcomeKind | "running";

/** Times are wall-clock milliseconds; `finishedAt` is null while it runs and when it was interrupted. */
export interface RunSummary {
  runId: string;
  cause: RunCause;
  startedAt: number;
  finishedAt: number | null;
  outcome: RecordedOutcome;
  message: string | null;
  /** In the order in which they were asked for; a job is in `jobs` once it has ended. */
  requestedJobs: string[];
  jobs: { jobId: string; outcome: RecordedOutcome }[];
  /** Sums over the actions that had statistics; null when none had. */
  transferredBytes: number | null;
  transferredFiles: number | null;
}

export interface ActionRecord {
  actionId: string;
  /** Empty: the job had one target, or the action none. */
  targetId: string;
  attempt: number;
  startedAt: number;
  finishedAt: number;
  outcome: OutcomeKind;
  /** Why it failed (`exit`, `process`, `exception`) or was cancelled (`timed-out` …). */
  reason: string | null;
  message: string | null;
  argv: string[];
  exitCode: number | null;
  signal: string | null;
  stats: TransferStats;
  hasOutput: boolean;
}

export interface JobRecord {
  jobId: string;
  startedAt: number;
  finishedAt: number | null;
  outcome: RecordedOutcome;
  /** Why it was skipped or cancelled. */
  reason: string | null;
  message: string | null;
  failedAction: string | null;
  /** How long it waited for the locks of others; null: it did not. */
  waitedMs: number | null;
  actions: ActionRecord[];
}

export interface RunRecord extends Omit<RunSummary, "jobs"> {
  jobs: JobRecord[];
  /** What happened to locks, in order; a very long run keeps its last thousand. */
  lockEvents: LockEventRecord[];
}

export interface RunFilter {
  /** Runs with this job; `withoutSuccess` then asks for the job's outcome, not the run's. */
  jobId?: string | undefined;
  /** Only what is not known to have ended with `ok` or `warning`. */
  withoutSuccess?: boolean | undefined;
  /** Started at or after this time. */
  since?: number | undefined;
  limit: number;
}

const summaryColumns = `r.*,
  (SELECT json_group_array(json_object('jobId', job_id, 'outcome', outcome)) FROM jobs WHERE run = r.id) AS jobs,
  (SELECT sum(a.transferred_bytes) FROM jobs j JOIN actions a ON a.job = j.id WHERE j.run = r.id) AS transferred_bytes,
  (SELECT sum(a.files_transferred) FROM jobs j JOIN actions a ON a.job = j.id WHERE j.run = r.id) AS transferred_files`;

const noSuccess = (table: string) => `(${table}.outcome IS NULL OR ${table}.outcome NOT IN ('ok', 'warning'))`;

/** Queries of the history. `isAlive` says whether the process that owns an unfinished run still lives. */
export function createRunHistory(database: SqlDatabase, isAlive: (owner: string) => boolean) {
  const openOutcome = (row: SqlRow) => (isAlive(String(row["owner"])) ? "running" : "failed");

  function summary(row: SqlRow): RunSummary {
    const open = openOutcome(row);
    const jobs = JSON.parse(String(row["jobs"])) as { jobId: string; outcome: OutcomeKind | null }[];
    return {
      runId: String(row["run_id"]),
      cause: JSON.parse(String(row["cause"])) as RunCause,
      startedAt: Number(row["started_at"]),
      finishedAt: numberOrNull(row["finished_at"]),
      outcome: (row["outcome"] as OutcomeKind | null) ?? open,
      message: textOrNull(row["message"]) ?? (row["outcome"] === null && open === "failed" ? interrupted : null),
      requestedJobs: JSON.parse(String(row["requested_jobs"])) as string[],
      jobs: jobs.map(({ jobId, outcome }) => ({ jobId, outcome: outcome ?? open })),
      transferredBytes: numberOrNull(row["transferred_bytes"]),
      transferredFiles: numberOrNull(row["transferred_files"]),
    };
  }

  /** Newest first. */
  function listRuns(filter: RunFilter): RunSummary[] {
    const conditions = ["r.started_at >= ?"];
    const values: SqlValue[] = [filter.since ?? 0];
    if (filter.jobId !== undefined) {
      conditions.push("j.job_id = ?");
      values.push(filter.jobId);
    }
    if (filter.withoutSuccess === true) conditions.push(noSuccess(filter.jobId === undefined ? "r" : "j"));
    // The job's own index leads the way, else a rare job would mean reading all runs.
    const from = filter.jobId === undefined ? "runs r" : "jobs j CROSS JOIN runs r ON r.id = j.run";
    const order = filter.jobId === undefined ? "r.id" : "j.run";
    const sql = `SELECT ${summaryColumns} FROM ${from} WHERE ${conditions.join(" AND ")} ORDER BY ${order} DESC LIMIT ?`;
    return database.all(sql, ...values, filter.limit).map(summary);
  }

  /** Runs that a living director works on, oldest first. */
  function openRuns(): RunSummary[] {
    const rows = database.all(`SELECT ${summaryColumns} FROM runs r WHERE r.outcome IS NULL ORDER BY r.id`);
    return rows.map(summary).filter(({ outcome }) => outcome === "running");
  }

  /** The newest lines about locks, oldest first. */
  const lockEvents = (filter: LockEventFilter) => readLockEvents(database, filter);

  /** Ids that begin with the prefix, newest first, at most `limit`. */
  function findRunIds(prefix: string, limit: number): string[] {
    const rows = database.all(
      "SELECT run_id FROM runs WHERE run_id >= ? AND run_id < ? ORDER BY id DESC LIMIT ?",
      ...[prefix, `${prefix}\u{10FFFF}`, limit],
    );
    return rows.map((row) => String(row["run_id"]));
  }

  function readRun(runId: string): RunRecord | undefined {
    const row = database.all(`SELECT ${summaryColumns} FROM runs r WHERE r.run_id = ?`, runId)[0];
    if (row === undefined) return undefined;
    const open = openOutcome(row);
    const jobs = database.all("SELECT * FROM jobs WHERE run = ? ORDER BY id", row["id"] ?? null);
    return {
      ...summary(row),
      jobs: jobs.map((job) => ({
        jobId: String(job["job_id"]),
        startedAt: Number(job["started_at"]),
        finishedAt: numberOrNull(job["finished_at"]),
        outcome: (job["outcome"] as OutcomeKind | null) ?? open,
        reason: textOrNull(job["reason"]),
        message: textOrNull(job["message"]),
        failedAction: textOrNull(job["failed_action"]),
        waitedMs: numberOrNull(job["waited_ms"]),
        actions: readActions(job["id"] ?? null),
      })),
      lockEvents: readLockEvents(database, { runId, limit: 1000 }),
    };
  }

  function readActions(job: SqlValue): ActionRecord[] {
    const rows = database.all(
      `SELECT a.*, EXISTS (SELECT 1 FROM outputs WHERE action = a.id) AS has_output
       FROM actions a WHERE job = ? ORDER BY id`,
      job,
    );
    return rows.map(actionRecord);
  }

  /** What an action wrote, at most the last 1 MiB; undefined when nothing is kept (any more). */
  function readOutput(
    runId: string,
    jobId: string,
    { actionId, targetId, attempt }: Pick<ActionRecord, "actionId" | "targetId" | "attempt">,
  ): string | undefined {
    const row = database.all(
      `SELECT o.gzip FROM runs r JOIN jobs j ON j.run = r.id JOIN actions a ON a.job = j.id
       JOIN outputs o ON o.action = a.id
       WHERE r.run_id = ? AND j.job_id = ? AND a.action_id = ? AND a.target_id = ? AND a.attempt = ?`,
      ...[runId, jobId, actionId, targetId, attempt],
    )[0];
    const packed = row?.["gzip"];
    return packed instanceof Uint8Array ? gunzipSync(packed).toString("utf8") : undefined;
  }

  /** What a job did last, oldest first, at most `limit`; what was not even tried is left out. */
  const recentRuns = (jobId: string, limit: number) => readRecentRuns(database, jobId, limit);

  /** The last run of every job, likewise. */
  const lastRuns = () => readLastRuns(database);

  return { listRuns, openRuns, lockEvents, findRunIds, readRun, readOutput, recentRuns, lastRuns };
}

export type RunHistory = ReturnType<typeof createRunHistory>;

/** The last result of every job that ever ran, and of each of its targets where it has several, also of those whose runs have left the history. */
export function readLastResults(database: SqlDatabase): LastJobResult[] {
  return database.all("SELECT * FROM last_results ORDER BY job_id, target_id").map((row) => ({
    jobId: String(row["job_id"]),
    targetId: String(row["target_id"]),
    outcome: row["outcome"] as OutcomeKind,
    finishedAt: Number(row["finished_at"]),
    lastSuccessAt: numberOrNull(row["last_success_at"]),
  }));
}

/** When the run that was recorded last began (ms); null: there is none. */
export function readLastRunAt(database: SqlDatabase): number | null {
  return numberOrNull(database.all("SELECT started_at FROM runs ORDER BY id DESC LIMIT 1")[0]?.["started_at"]);
}

function actionRecord(row: SqlRow): ActionRecord {
  return {
    actionId: String(row["action_id"]),
    targetId: String(row["target_id"]),
    attempt: Number(row["attempt"]),
    startedAt: Number(row["started_at"]),
    finishedAt: Number(row["finished_at"]),
    outcome: row["outcome"] as OutcomeKind,
    reason: textOrNull(row["reason"]),
    message: textOrNull(row["message"]),
    argv: JSON.parse(String(row["argv"])) as string[],
    exitCode: numberOrNull(row["exit_code"]),
    signal: textOrNull(row["signal"]),
    stats: {
      filesTotal: numberOrNull(row["files_total"]),
      filesCreated: numberOrNull(row["files_created"]),
      filesDeleted: numberOrNull(row["files_deleted"]),
      filesTransferred: numberOrNull(row["files_transferred"]),
      totalBytes: numberOrNull(row["total_bytes"]),
      transferredBytes: numberOrNull(row["transferred_bytes"]),
      literalBytes: numberOrNull(row["literal_bytes"]),
      matchedBytes: numberOrNull(row["matched_bytes"]),
      sentBytes: numberOrNull(row["sent_bytes"]),
      receivedBytes: numberOrNull(row["received_bytes"]),
    },
    hasOutput: row["has_output"] === 1,
  };
}

function numberOrNull(value: SqlValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function textOrNull(value: SqlValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}
