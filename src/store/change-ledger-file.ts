import { moveAside, openFileForReading, prepareDatabaseFile, wrongVersion } from "./database-file.ts";
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
  return openFileForReading(driver, path, schemaVersion);
}

function open(driver: SqlDriver, path: string, instance: string): SqlDatabase {
  prepareDatabaseFile(path, { directory: 0o700, file: 0o600 });
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
      throw wrongVersion(version, schemaVersion);
    }
    const owner = database.all("SELECT value FROM meta WHERE key = 'instance'")[0]?.["value"];
    if (owner === instance) return database;
    throw new SqlError("SQLITE_CANTOPEN", `its directory belongs to another instance, ${JSON.stringify(owner)}`);
  } catch (error) {
    database.close();
    throw error;
  }
}
