import { gzipSync } from "node:zlib";
import { redactArgv, redactText } from "../base/redact.ts";
import type { ActionOutcome, ActionReport, JobOutcome, OutcomeKind, RunCause } from "../model/run.ts";
import { isSuccess, saysSomething } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** What every record of a run carries, so that each can be written alone and in any order. */
export interface RunFacts {
  readonly runId: string;
  readonly cause: RunCause;
  readonly jobs: readonly string[];
  readonly startedAt: number;
  readonly owner: string;
}

export interface JobFacts {
  readonly run: RunFacts;
  readonly jobId: string;
  readonly startedAt: number;
}

export interface ActionFacts {
  readonly job: JobFacts;
  readonly actionId: string;
  /** Empty: the job has one target, or the action none. */
  readonly targetId: string;
  readonly attempt: number;
  readonly argv: readonly string[];
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outcome: ActionOutcome;
}

/** Of an action's output the last so many bytes are kept, compressed. */
const keptOutputBytes = 1024 * 1024;

/** Returns the row's number; a run that is there already stays as it is. */
export function recordRunStart(database: SqlDatabase, run: RunFacts): number {
  const known = database.all("SELECT id FROM runs WHERE run_id = ?", run.runId)[0];
  if (known !== undefined) return Number(known["id"]);
  return database.run(
    "INSERT INTO runs (run_id, cause, requested_jobs, started_at, owner) VALUES (?, ?, ?, ?, ?)",
    run.runId,
    JSON.stringify(run.cause),
    JSON.stringify(run.jobs),
    run.startedAt,
    run.owner,
  ).lastInsertRowid;
}

export function recordRunEnd(database: SqlDatabase, run: RunFacts, outcome: OutcomeKind, finishedAt: number): void {
  const row = recordRunStart(database, run);
  database.run("UPDATE runs SET outcome = ?, finished_at = ?, message = NULL WHERE id = ?", outcome, finishedAt, row);
}

export function recordJobStart(database: SqlDatabase, job: JobFacts): number {
  const run = recordRunStart(database, job.run);
  const known = database.all("SELECT id FROM jobs WHERE run = ? AND job_id = ?", run, job.jobId)[0];
  if (known !== undefined) return Number(known["id"]);
  return database.run("INSERT INTO jobs (run, job_id, started_at) VALUES (?, ?, ?)", run, job.jobId, job.startedAt)
    .lastInsertRowid;
}

export function recordJobEnd(
  database: SqlDatabase,
  job: JobFacts,
  end: { outcome: JobOutcome; finishedAt: number; waitedMs: number | null },
): void {
  const { outcome, finishedAt } = end;
  const row = recordJobStart(database, job);
  database.run(
    "UPDATE jobs SET finished_at = ?, outcome = ?, reason = ?, message = ?, failed_action = ?, waited_ms = ? WHERE id = ?",
    finishedAt,
    outcome.kind,
    outcome.kind === "skipped" ? outcome.cause : outcome.kind === "cancelled" ? outcome.reason : null,
    outcome.kind === "ok" ? null : redactText(outcome.message),
    outcome.kind === "failed" ? outcome.actionId : null,
    end.waitedMs,
    row,
  );
  if (saysSomething(outcome)) recordLastResult(database, { ...wholeOf(job), outcome: outcome.kind, finishedAt });
}

/** Kept apart from the runs: retention must not make a job forget when it last worked. */
export function recordLastResult(
  database: SqlDatabase,
  result: { jobId: string; targetId: string; outcome: OutcomeKind; finishedAt: number },
): void {
  database.run(
    `INSERT INTO last_results (job_id, target_id, outcome, finished_at, last_success_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (job_id, target_id) DO UPDATE SET
       outcome = iif(excluded.finished_at >= finished_at, excluded.outcome, outcome),
       finished_at = max(excluded.finished_at, finished_at),
       last_success_at = nullif(max(coalesce(excluded.last_success_at, -1), coalesce(last_success_at, -1)), -1)`,
    result.jobId,
    result.targetId,
    result.outcome,
    result.finishedAt,
    isSuccess(result.outcome) ? result.finishedAt : null,
  );
}

/** The result of a job as a whole. */
function wholeOf({ jobId }: { jobId: string }): { jobId: string; targetId: string } {
  return { jobId, targetId: "" };
}

const statistics: readonly (readonly [column: string, field: keyof TransferStats])[] = [
  ["files_total", "filesTotal"],
  ["files_created", "filesCreated"],
  ["files_deleted", "filesDeleted"],
  ["files_transferred", "filesTransferred"],
  ["total_bytes", "totalBytes"],
  ["transferred_bytes", "transferredBytes"],
  ["literal_bytes", "literalBytes"],
  ["matched_bytes", "matchedBytes"],
  ["sent_bytes", "sentBytes"],
  ["received_bytes", "receivedBytes"],
];

const actionColumns = [
  ...["job", "action_id", "target_id", "attempt", "started_at", "finished_at", "outcome", "reason", "message", "argv"],
  ...["exit_code", "signal"],
  ...statistics.map(([column]) => column),
];

const insertAction = `INSERT OR REPLACE INTO actions (${actionColumns.join(", ")})
  VALUES (${actionColumns.map(() => "?").join(", ")})`;

export function recordAction(database: SqlDatabase, action: ActionFacts, output: Uint8Array | null): void {
  const { outcome } = action;
  const report = outcome.report;
  const row = database.run(
    insertAction,
    recordJobStart(database, action.job),
    action.actionId,
    action.targetId,
    action.attempt,
    action.startedAt,
    action.finishedAt,
    outcome.kind,
    outcome.kind === "failed" ? outcome.cause : outcome.kind === "cancelled" ? outcome.reason : null,
    outcome.kind === "ok" ? null : redactText(outcome.message),
    JSON.stringify(redactArgv(report?.argv ?? action.argv)),
    report?.exitCode ?? null,
    report?.signal ?? null,
    ...statistics.map(([, field]) => report?.stats?.[field] ?? null),
  ).lastInsertRowid;
  if (output === null) return;
  database.run("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?)", row, output.byteLength, output);
}

/** The end of an action's output as it is stored; null when there was none. */
export function packOutput(report: ActionReport | null): Uint8Array | null {
  if (report === null || report.output === "") return null;
  const bytes = Buffer.from(redactText(report.output));
  return gzipSync(bytes.subarray(Math.max(0, bytes.length - keptOutputBytes)), { level: 1 });
}

/** Unfinished runs of a director that is gone did not succeed: say so, and not that they still run. */
export function recordInterruptedRuns(database: SqlDatabase, isAlive: (owner: string) => boolean): string[] {
  const gone = database
    .all("SELECT id, run_id, owner FROM runs WHERE outcome IS NULL")
    .filter((row) => !isAlive(String(row["owner"])));
  for (const row of gone) {
    const id = row["id"] as number;
    const jobs = database.all("SELECT id, job_id, started_at FROM jobs WHERE run = ? AND outcome IS NULL", id);
    for (const job of jobs) {
      const result = { ...wholeOf({ jobId: String(job["job_id"]) }), finishedAt: Number(job["started_at"]) };
      recordLastResult(database, { ...result, outcome: "failed" });
      database.run("UPDATE jobs SET outcome = 'failed', message = ? WHERE id = ?", interrupted, job["id"] as number);
    }
    database.run("UPDATE runs SET outcome = 'failed', message = ? WHERE id = ?", interrupted, id);
  }
  return gone.map((row) => String(row["run_id"]));
}

export const interrupted = "interrupted: the director ended before the run did";
