import { SqlError, type SqlDatabase } from "./sql-database.ts";

/**
 * The schema, step by step: the number of a step (from 1) is the `user_version` it leads to. A step
 * that was released is never edited. Times are wall-clock milliseconds, sizes bytes.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    cause TEXT NOT NULL,
    requested_jobs TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT,
    message TEXT,
    owner TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_start ON runs (started_at);
  CREATE INDEX runs_without_success ON runs (id) WHERE outcome IS NULL OR outcome NOT IN ('ok', 'warning');

  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    job_id TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    outcome TEXT,
    reason TEXT,
    message TEXT,
    failed_action TEXT,
    waited_ms INTEGER,
    UNIQUE (run, job_id)
  ) STRICT;
  CREATE INDEX jobs_by_id ON jobs (job_id, run);

  CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    action_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    message TEXT,
    argv TEXT NOT NULL,
    exit_code INTEGER,
    signal TEXT,
    files_total INTEGER,
    files_created INTEGER,
    files_deleted INTEGER,
    files_transferred INTEGER,
    total_bytes INTEGER,
    transferred_bytes INTEGER,
    literal_bytes INTEGER,
    matched_bytes INTEGER,
    sent_bytes INTEGER,
    received_bytes INTEGER,
    UNIQUE (job, action_id, attempt)
  ) STRICT;

  CREATE TABLE outputs (
    action INTEGER PRIMARY KEY REFERENCES actions (id) ON DELETE CASCADE,
    stored_bytes INTEGER NOT NULL,
    gzip BLOB NOT NULL
  ) STRICT;

  CREATE TABLE last_results (
    job_id TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    finished_at INTEGER NOT NULL,
    last_success_at INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE schedule_ledger (
    key TEXT NOT NULL,
    scheduled_for INTEGER NOT NULL,
    local_label TEXT,
    PRIMARY KEY (key, scheduled_for)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX schedule_ledger_by_label ON schedule_ledger (key, local_label) WHERE local_label IS NOT NULL;
  `,
  `
  CREATE TABLE lock_events (
    id INTEGER PRIMARY KEY,
    mark TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    run INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    run_id TEXT,
    job_id TEXT,
    host TEXT,
    path TEXT,
    token TEXT,
    owner TEXT,
    age_ms INTEGER,
    detail TEXT
  ) STRICT;
  CREATE INDEX lock_events_by_run ON lock_events (run, at);
  CREATE INDEX lock_events_by_run_id ON lock_events (run_id);
  CREATE INDEX lock_events_by_job ON lock_events (job_id, id);
  CREATE INDEX lock_events_by_time ON lock_events (at);
  `,
  `
  CREATE TABLE actions_of_targets (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    action_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    message TEXT,
    argv TEXT NOT NULL,
    exit_code INTEGER,
    signal TEXT,
    files_total INTEGER,
    files_created INTEGER,
    files_deleted INTEGER,
    files_transferred INTEGER,
    total_bytes INTEGER,
    transferred_bytes INTEGER,
    literal_bytes INTEGER,
    matched_bytes INTEGER,
    sent_bytes INTEGER,
    received_bytes INTEGER,
    UNIQUE (job, action_id, target_id, attempt)
  ) STRICT;
  INSERT INTO actions_of_targets
    SELECT id, job, action_id, '', attempt, started_at, finished_at, outcome, reason, message, argv, exit_code, signal,
      files_total, files_created, files_deleted, files_transferred, total_bytes, transferred_bytes, literal_bytes,
      matched_bytes, sent_bytes, received_bytes
    FROM actions;
  CREATE TABLE outputs_of_actions (
    action INTEGER PRIMARY KEY REFERENCES actions_of_targets (id) ON DELETE CASCADE,
    stored_bytes INTEGER NOT NULL,
    gzip BLOB NOT NULL
  ) STRICT;
  INSERT INTO outputs_of_actions SELECT action, stored_bytes, gzip FROM outputs;
  DROP TABLE outputs;
  DROP TABLE actions;
  ALTER TABLE actions_of_targets RENAME TO actions;
  ALTER TABLE outputs_of_actions RENAME TO outputs;

  CREATE TABLE last_results_of_targets (
    job_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    finished_at INTEGER NOT NULL,
    last_success_at INTEGER,
    PRIMARY KEY (job_id, target_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO last_results_of_targets
    SELECT job_id, '', outcome, finished_at, last_success_at FROM last_results;
  DROP TABLE last_results;
  ALTER TABLE last_results_of_targets RENAME TO last_results;
  `,
  `
  CREATE TABLE dirty_destinations (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL,
    action_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    clean INTEGER NOT NULL,
    full_reason TEXT,
    full_since INTEGER,
    UNIQUE (job_id, action_id, target_id)
  ) STRICT;

  CREATE TABLE dirty_paths (
    destination INTEGER NOT NULL REFERENCES dirty_destinations (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (destination, path)
  ) STRICT, WITHOUT ROWID;
  `,
];

export const schemaVersion = migrations.length;

export function readSchemaVersion(database: SqlDatabase): number {
  return Number(database.all("PRAGMA user_version")[0]?.["user_version"] ?? 0);
}

/** Brings the schema up to date in one transaction. Throws a `SqlError` when it is newer than this program. */
export function migrate(database: SqlDatabase): void {
  migrateTo(database, schemaVersion);
}

/** As `migrate`, to an earlier version, from which tests go on. */
export function migrateTo(database: SqlDatabase, wanted: number): void {
  const version = readSchemaVersion(database);
  if (version > schemaVersion) {
    throw new SqlError("SQLITE_READONLY", `its schema (${version}) is newer than this program's (${schemaVersion})`);
  }
  if (version === wanted) return;
  database.transaction(() => {
    for (const step of migrations.slice(version, wanted)) database.exec(step);
    database.exec(`PRAGMA user_version = ${wanted}`);
  });
}
