import type LibsqlDatabase from "libsql";
import { coerceError, systemErrorCode } from "../base/errors.ts";
import { SqlError, type SqlDatabase, type SqlDriver, type SqlRow, type SqlValue } from "./sql-database.ts";

/** Loads libsql (a native module: it can be missing for this machine, then this rejects). */
export async function loadLibsqlDriver(): Promise<SqlDriver> {
  const { default: Database } = await import("libsql");
  return {
    open(path, { readOnly, busyTimeoutMs }) {
      // `mode=rw` creates nothing either: the caller makes the file, with the permissions it wants.
      const uri = `file:${encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23")}?mode=${readOnly ? "ro" : "rw"}`;
      return guarded(() => adapt(new Database(uri, { timeout: busyTimeoutMs })));
    },
  };
}

function adapt(database: LibsqlDatabase.Database): SqlDatabase {
  const statements = new Map<string, LibsqlDatabase.Statement<unknown[]>>();
  const prepare = (sql: string) => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    exec: (sql) => guarded(() => void database.exec(sql)),
    run: (sql, ...values) =>
      guarded(() => {
        const { changes, lastInsertRowid } = prepare(sql).run(values.map(bindable));
        return { changes, lastInsertRowid: Number(lastInsertRowid) };
      }),
    all: (sql, ...values) => guarded(() => prepare(sql).all(values.map(bindable)).map(readRow)),
    transaction: (work) => {
      guarded(() => database.exec("BEGIN IMMEDIATE"));
      try {
        const result = work();
        guarded(() => database.exec("COMMIT"));
        return result;
      } catch (error) {
        rollBack(database);
        throw error;
      }
    },
    close: () => {
      statements.clear();
      database.close();
    },
  };
}

/** SQLite has already rolled back by itself after some failures (a full disk among them). */
function rollBack(database: LibsqlDatabase.Database): void {
  try {
    if (database.inTransaction) database.exec("ROLLBACK");
  } catch {
    // The failure that led here is the one to report; the caller drops the connection.
  }
}

/** libsql 0.5 aborts the whole process on a boolean and cuts text off at a NUL when it reads it back. */
function bindable(value: SqlValue): SqlValue {
  if (typeof value === "string") return value.replaceAll("\0", "\uFFFD");
  if (value === null || typeof value === "number" || value instanceof Uint8Array) return value;
  throw new TypeError(`a ${typeof value} cannot be stored`);
}

function readRow(row: unknown): SqlRow {
  const entries = Object.entries(row as Record<string, SqlValue | ArrayBuffer>);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof ArrayBuffer ? new Uint8Array(value) : value]),
  );
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof TypeError || thrown instanceof SqlError) throw thrown;
    const error = coerceError(thrown);
    // A failed open carries no code, only SQLite's number at the end of its message.
    const code =
      systemErrorCode(error) || (error.message.startsWith("ConnectionFailed") ? "SQLITE_CANTOPEN" : "SQLITE_ERROR");
    throw new SqlError(code, code === "SQLITE_CANTOPEN" ? "unable to open the database file" : error.message);
  }
}
