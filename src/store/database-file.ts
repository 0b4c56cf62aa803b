import { closeSync, mkdirSync, openSync, renameSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { coerceError, systemErrorCode } from "../base/errors.ts";
import { readSchemaVersion } from "./migrations.ts";
import { SqlError, type SqlDatabase, type SqlDriver } from "./sql-database.ts";

/**
 * Opens a database beside a director that writes it: a reader of a rollback journal sees whole transactions only.
 * Returns undefined when nothing was ever written; throws a `SqlError`, also when the schema is another one.
 */
export function openFileForReading(driver: SqlDriver, path: string, wanted: number): SqlDatabase | undefined {
  if (inodeOf(path) === undefined) return undefined;
  refuseSpecialFile(path);
  try {
    return openReader(driver, path, { wanted, readOnly: true });
  } catch (error) {
    if (!(error instanceof SqlError) || !error.code.startsWith("SQLITE_READONLY")) throw error;
    // A director that was killed in mid-write left a journal, and playing it back means writing.
    return openReader(driver, path, { wanted, readOnly: false });
  }
}

function openReader(
  driver: SqlDriver,
  path: string,
  { wanted, readOnly }: { wanted: number; readOnly: boolean },
): SqlDatabase | undefined {
  const database = driver.open(path, { readOnly, busyTimeoutMs: 5000 });
  try {
    const version = readSchemaVersion(database);
    if (version === wanted) {
      database.exec("PRAGMA query_only = 1");
      return database;
    }
    if (version !== 0) throw wrongVersion(version, wanted);
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

export function wrongVersion(version: number, wanted: number): SqlError {
  return new SqlError("SQLITE_SCHEMA", `its schema is version ${version}, this program reads ${wanted}`);
}

/** The file's inode, or undefined when there is none. Throws a `SqlError` when nobody can say. */
export function inodeOf(path: string): number | undefined {
  return lookAt(path)?.ino;
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new SqlError("SQLITE_CANTOPEN", coerceError(error).message);
  }
}

/** Opening a pipe waits for ever for its other end, and the whole director with it. */
function refuseSpecialFile(path: string): void {
  for (const file of [path, `${path}-journal`]) {
    const found = lookAt(file);
    if (found !== undefined && !found.isFile()) throw new SqlError("SQLITE_CANTOPEN", `${file} is not a regular file`);
  }
}

/** Makes the file and its directory where they are missing, with these modes. Throws a `SqlError`. */
export function prepareDatabaseFile(path: string, modes: { readonly directory: number; readonly file: number }): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: modes.directory });
    refuseSpecialFile(path);
    closeSync(openSync(path, "a", modes.file));
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
