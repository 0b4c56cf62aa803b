export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * What the store needs of SQLite. Calls are synchronous; every failure of the database itself is
 * thrown as a `SqlError`. Small on purpose: `node:sqlite` is to be the second driver.
 */
export interface SqlDatabase {
  /** Runs statements without parameters. */
  exec(sql: string): void;
  /** Runs one statement; text may hold any character (NUL is stored as U+FFFD). */
  run(sql: string, ...values: readonly SqlValue[]): { changes: number; lastInsertRowid: number };
  /** Every row of the answer: the statement has ended, and with it its lock, when this returns. */
  all(sql: string, ...values: readonly SqlValue[]): SqlRow[];
  /** All of `work` or nothing; the write lock is taken at once. `work` must not wait for anything. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface SqlOpenOptions {
  readOnly: boolean;
  /** How long a call may wait for another process's lock. The whole program waits with it. */
  busyTimeoutMs: number;
}

export interface SqlDriver {
  open(path: string, options: SqlOpenOptions): SqlDatabase;
}

/** `code` is SQLite's name of the result (`SQLITE_FULL`), extended ones too (`SQLITE_IOERR_WRITE`). */
export class SqlError extends Error {
  override readonly name = "SqlError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * `unavailable` may pass (full disk, lock, missing directory); `damaged` will not: the file is not a
 * database any more; `unexpected` is anything else, a bug in the statement above all.
 */
export type SqlFailure = "unavailable" | "damaged" | "unexpected";

const passing = [
  "FULL",
  "IOERR",
  "READONLY",
  "BUSY",
  "LOCKED",
  "CANTOPEN",
  "PERM",
  "NOLFS",
  "NOMEM",
  "PROTOCOL",
  "AUTH",
];

export function sqlFailureOf(error: unknown): SqlFailure {
  const code = error instanceof SqlError ? error.code : "";
  if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return "damaged";
  return passing.some((name) => code === `SQLITE_${name}` || code.startsWith(`SQLITE_${name}_`))
    ? "unavailable"
    : "unexpected";
}
