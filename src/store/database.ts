import { closeSync, mkdirSync, openSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { coerceError, systemErrorCode } from "../base/errors.ts";
import { migrate, readSchemaVersion, schemaVersion } from "./migrations.ts";
import { SqlError, type SqlDatabase, type SqlDriver } from "./sql-database.ts";

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
  prepareFile(path);
  const database = driver.open(path, { readOnly: false, busyTimeoutMs });
  try {
    // auto_vacuum counts only before the first table exists; later it is ignored.
    database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    database.all("PRAGMA journal_mode = TRUNCATE");
    migrate(database);
    return { database, inode: inodeOf(path) ?? 0 };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens the history beside a director that writes it: a reader of a rollback journal sees whole
 * transactions only. Returns undefined when nothing was ever written; throws a `SqlError`.
 */
export function openHistoryFileForReading(driver: SqlDriver, path: string): SqlDatabase | undefined {
  if (inodeOf(path) === undefined) return undefined;
  refuseSpecialFile(path);
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
    if (version !== 0) {
      throw new SqlError("SQLITE_SCHEMA", `its schema is version ${version}, this program reads ${schemaVersion}`);
    }
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

/** The file's inode, or undefined when there is none. */
export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** Opening a pipe waits for ever for its other end, and the whole director with it. */
function refuseSpecialFile(path: string): void {
  for (const file of [path, `${path}-journal`]) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found !== undefined && !found.isFile()) throw new SqlError("SQLITE_CANTOPEN", `${file} is not a regular file`);
  }
}

function prepareFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    refuseSpecialFile(path);
    closeSync(openSync(path, "a", 0o640));
  } catch (error) {
    if (error instanceof SqlError) throw error;
    const code = systemErrorCode(error);
    throw new SqlError(code === "ENOSPC" ? "SQLITE_FULL" : "SQLITE_CANTOPEN", coerceError(error).message);
  }
}

/**
 * Puts a damaged database out of the way and returns its new name. The journal goes first: one left
 * behind would be played back into the new database.
 */
export function moveAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const aside = `${path}.corrupt-${stamp}`;
  try {
    for (const suffix of ["-journal", "-wal", "-shm"]) {
      if (inodeOf(path + suffix) !== undefined) renameSync(path + suffix, aside + suffix);
    }
    renameSync(path, aside);
  } catch (error) {
    throw new SqlError("SQLITE_CANTOPEN", `cannot move it aside: ${coerceError(error).message}`);
  }
  return aside;
}
