import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { coerceError, systemErrorCode } from "../base/errors.ts";
import { moveAside } from "./database.ts";
import { readSchemaVersion } from "./migrations.ts";
import { SqlError, sqlFailureOf, type SqlDatabase, type SqlDriver } from "./sql-database.ts";

/**
 * `files`: every tracked file as it was last synced. `entries`: what changed; `copy` and `staged` are names below
 * the backup directory. `batches`: what was decided and is not carried out yet. Times are milliseconds, sizes bytes.
 */
const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE trees (
    job TEXT NOT NULL, action TEXT NOT NULL, baseline INTEGER NOT NULL, unsettled INTEGER NOT NULL,
    PRIMARY KEY (job, action)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE files (
    job TEXT NOT NULL, action TEXT NOT NULL, path TEXT NOT NULL,
    kind TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT,
    mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    stamp TEXT NOT NULL, ticket INTEGER NOT NULL,
    PRIMARY KEY (job, action, path)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE batches (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, action TEXT NOT NULL,
    log_file TEXT, log_inode INTEGER, log_offset INTEGER
  ) STRICT;
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch TEXT NOT NULL, at INTEGER NOT NULL,
    run TEXT NOT NULL, job TEXT NOT NULL, action TEXT NOT NULL, cause TEXT NOT NULL,
    path TEXT NOT NULL, file TEXT NOT NULL, change TEXT NOT NULL,
    old TEXT, new TEXT, added INTEGER, removed INTEGER,
    copy TEXT, copy_size INTEGER NOT NULL, staged TEXT
  ) STRICT;
  CREATE INDEX entries_by_path ON entries (path, id);
  CREATE INDEX entries_by_file ON entries (file, id);
  CREATE INDEX entries_by_run ON entries (run, id);
  CREATE INDEX entries_by_batch ON entries (batch, id);
  CREATE INDEX copies ON entries (job, action, path, id) WHERE copy IS NOT NULL;
  CREATE INDEX copies_by_age ON entries (job, id, copy_size) WHERE copy IS NOT NULL;
`;
const schemaVersion = 1;

/**
 * Opens the ledger of one instance for writing, and makes it (0600) where it is missing. A file that is no
 * database any more is moved aside, and `onDamaged` is told its new name. Throws a `SqlError`.
 */
export function openLedgerFile(
  driver: SqlDriver,
  path: string,
  options: { instance: string; now: number; onDamaged: (movedTo: string) => void },
): SqlDatabase {
  try {
    return open(driver, path, options.instance);
  } catch (error) {
    if (sqlFailureOf(error) !== "damaged") throw error;
    options.onDamaged(moveAside(path, options.now));
    return open(driver, path, options.instance);
  }
}

/** Opens it beside a director that writes; undefined when nothing was ever tracked. Throws a `SqlError`. */
export function openLedgerForReading(driver: SqlDriver, path: string): SqlDatabase | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new SqlError("SQLITE_CANTOPEN", `${path} is not a regular file`);
  try {
    return openReader(driver, path, true);
  } catch (error) {
    if (!(error instanceof SqlError) || !error.code.startsWith("SQLITE_READONLY")) throw error;
    // A director that was killed in mid-write left a journal, and playing it back means writing.
    return openReader(driver, path, false);
  }
}

function openReader(driver: SqlDriver, path: string, readOnly: boolean): SqlDatabase | undefined {
  const database = driver.open(path, { readOnly, busyTimeoutMs: 5000 });
  try {
    const version = readSchemaVersion(database);
    if (version === schemaVersion) {
      database.exec("PRAGMA query_only = 1");
      return database;
    }
    if (version !== 0) throw wrongVersion(version);
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

function open(driver: SqlDriver, path: string, instance: string): SqlDatabase {
  prepareFile(path);
  const database = driver.open(path, { readOnly: false, busyTimeoutMs: 5000 });
  try {
    // As in the history: WAL is not used, for libsql 0.5 can corrupt it with two connections.
    database.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -8000");
    database.all("PRAGMA journal_mode = TRUNCATE");
    const version = readSchemaVersion(database);
    if (version === 0) {
      database.transaction(() => {
        database.exec(schema);
        database.run("INSERT INTO meta VALUES ('instance', ?)", instance);
        database.exec(`PRAGMA user_version = ${schemaVersion}`);
      });
    } else if (version !== schemaVersion) {
      throw wrongVersion(version);
    }
    const owner = database.all("SELECT value FROM meta WHERE key = 'instance'")[0]?.["value"];
    if (owner === instance) return database;
    throw new SqlError("SQLITE_CANTOPEN", `its directory belongs to another instance, ${JSON.stringify(owner)}`);
  } catch (error) {
    database.close();
    throw error;
  }
}

function wrongVersion(version: number): SqlError {
  return new SqlError("SQLITE_SCHEMA", `its schema is version ${version}, this program's is ${schemaVersion}`);
}

function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    for (const file of [path, `${path}-journal`]) {
      const found = statSync(file, { throwIfNoEntry: false });
      if (found !== undefined && !found.isFile())
        throw new SqlError("SQLITE_CANTOPEN", `${file} is not a regular file`);
    }
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    if (error instanceof SqlError) throw error;
    const code = systemErrorCode(error);
    throw new SqlError(code === "ENOSPC" ? "SQLITE_FULL" : "SQLITE_CANTOPEN", coerceError(error).message);
  }
}
