import { redactText } from "../base/redact.ts";
import type { LockPlace } from "../model/run.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";

/**
 * What happened to a lock. `waiting` and `waited`: a job began and ended a wait for the lock of another;
 * `spared`: a lock that looked stale was not broken; `forced`: a person removed it. The others are the
 * events of the same names.
 */
export type LockEventKind =
  | "waiting"
  | "waited"
  | "acquired"
  | "held"
  | "withdrawn"
  | "suspect"
  | "confirmed"
  | "lost"
  | "broken"
  | "spared"
  | "foreign"
  | "stuck"
  | "recovered"
  | "released"
  | "forced";

/** One line of the audit. */
export interface LockEventRecord {
  at: number;
  kind: LockEventKind;
  /** null: not on behalf of a run, but of a person. */
  runId: string | null;
  jobId: string | null;
  /** null: of no single lock (the end of a wait). */
  place: LockPlace | null;
  /** Of the lock that the event is about; null: it has none, or it is not known. */
  token: string | null;
  /** Whose lock it is, in words, where it is not the job's own. */
  owner: string | null;
  /**
   * How old the file was (broken, spared, foreign, forced), how long ago it was last confirmed (suspect,
   * confirmed, lost), how long the job had waited (waited); milliseconds.
   */
  ageMs: number | null;
  detail: string | null;
}

const columns = ["mark", "at", "kind", "run_id", "job_id", "host", "path", "token", "owner", "age_ms", "detail"];

const insertLockEvent = `INSERT OR IGNORE INTO lock_events (${columns.join(", ")}, run)
  VALUES (${columns.map(() => "?").join(", ")}, (SELECT id FROM runs WHERE run_id = ?))`;

/** Writes one line; `mark` is unique to it, so that writing it again changes nothing. */
export function recordLockEvent(database: SqlDatabase, mark: string, event: LockEventRecord): void {
  const { at, kind, runId, jobId, place, token, owner, ageMs, detail } = event;
  database.run(
    insertLockEvent,
    ...[mark, at, kind, runId, jobId, place?.host ?? null, place?.path ?? null, token],
    ...[redacted(owner), ageMs === null || !Number.isFinite(ageMs) ? null : Math.round(ageMs), redacted(detail), runId],
  );
}

function redacted(text: string | null): string | null {
  return text === null ? null : redactText(text);
}

export interface LockEventFilter {
  runId?: string | undefined;
  jobId?: string | undefined;
  /** At or after this time. */
  since?: number | undefined;
  limit: number;
}

/** The newest `limit` lines, in the order in which they happened. */
export function readLockEvents(database: SqlDatabase, filter: LockEventFilter): LockEventRecord[] {
  const conditions = ["at >= ?"];
  const values: SqlValue[] = [filter.since ?? 0];
  for (const [column, value] of [
    ["run_id", filter.runId],
    ["job_id", filter.jobId],
  ] as const) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const sql = `SELECT * FROM lock_events WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ?`;
  return database
    .all(sql, ...values, filter.limit)
    .map(toRecord)
    .toReversed();
}

function toRecord(row: SqlRow): LockEventRecord {
  const text = (name: string) => (typeof row[name] === "string" ? row[name] : null);
  const path = text("path");
  return {
    at: Number(row["at"]),
    kind: text("kind") as LockEventKind,
    runId: text("run_id"),
    jobId: text("job_id"),
    place: path === null ? null : { host: text("host"), path },
    token: text("token"),
    owner: text("owner"),
    ageMs: typeof row["age_ms"] === "number" ? row["age_ms"] : null,
    detail: text("detail"),
  };
}

/** However many there are, the file must not grow without bound: contention can make many in one run. */
const mostLockEvents = 50_000;

/**
 * Deletes what is not among the last `most` lines, and what is too old and belongs to no run that is kept (the
 * lines of a run go with it); of each kind at most `step`. Returns whether there may be more to do.
 */
export function pruneLockEvents(
  database: SqlDatabase,
  options: { before: number; step: number; most?: number },
): boolean {
  const { before, step, most = mostLockEvents } = options;
  const remove = (condition: string, value: number) =>
    database.run(
      `DELETE FROM lock_events WHERE id IN (SELECT id FROM lock_events WHERE ${condition} LIMIT ?)`,
      value,
      step,
    ).changes;
  // By the distance of the ids, not by counting: that would read the whole table after every run.
  const excess = remove("id <= (SELECT max(id) FROM lock_events) - ?", most);
  const old = remove("run IS NULL AND at < ?", before);
  return excess >= step || old >= step;
}
