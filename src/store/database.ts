import { inodeOf, openFileForReading, prepareDatabaseFile } from "./database-file.ts";
import { migrate, schemaVersion } from "./migrations.ts";
import type { SqlDatabase, SqlDriver } from "./sql-database.ts";

export interface OpenHistoryFile {
  readonly database: SqlDatabase;
  /** Which file this is: another number later means that somebody put a different one there. */
  readonly inode: number;
}

/**
 * Opens the history for writing, makes the directory (0750) and the file (0640) where they are missing
 * and brings the schema up to date. Throws a `SqlError`, whatever it was that failed.
 *
 * One connection and a rollback journal: the SQLite inside libsql 0.5 (3.45.1) can corrupt a database
 * in WAL mode with two connections.
 */
export function openHistoryFile(driver: SqlDriver, path: string, busyTimeoutMs: number): OpenHistoryFile {
  prepareDatabaseFile(path, { directory: 0o750, file: 0o640 });
  const database = driver.open(path, { readOnly: false, busyTimeoutMs });
  try {
    // auto_vacuum counts only before the first table exists; later it is ignored.
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    database.all("PRAGMA journal_mode = TRUNCATE");
    // Kilobytes. Most pages are written once and hardly ever read again, and the kernel has them too.
    database.exec("PRAGMA cache_size = -512");
    migrate(database);
    return { database, inode: inodeOf(path) ?? 0 };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the history beside a director that writes it; undefined when nothing was ever written. Throws a `SqlError`. */
export function openHistoryFileForReading(driver: SqlDriver, path: string): SqlDatabase | undefined {
  return openFileForReading(driver, path, schemaVersion);
}
