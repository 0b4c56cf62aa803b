import { isAbsolute } from "node:path";
import type {
  ChangeEntry,
  ChangeLedgerReader,
  ChangeQuery,
  PlannedChange,
  RecordedChange,
} from "../model/tracked-change.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";

/** Questions about the ledger. What a batch decided is shown when it is carried out. */
export function createChangeLedgerReader(database: SqlDatabase): ChangeLedgerReader {
  return {
    changes: (query) => {
      const { clauses, values } = conditionsOf(query);
      const where = clauses.map((clause) => ` AND ${clause}`).join("");
      const sql = `SELECT * FROM entries WHERE batch NOT IN (SELECT id FROM batches)${where} ORDER BY id DESC LIMIT ?`;
      return database.all(sql, ...values, query.limit).map(recordOf);
    },
    change: (id) =>
      database.all("SELECT * FROM entries WHERE id = ? AND batch NOT IN (SELECT id FROM batches)", id).map(recordOf)[0],
    nextChange: ({ id, jobId, actionId, path }) =>
      database
        .all(
          `SELECT * FROM entries WHERE path = ? AND id > ? AND job = ? AND action = ?
           AND batch NOT IN (SELECT id FROM batches) ORDER BY id LIMIT 1`,
          ...[path, id, jobId, actionId],
        )
        .map(recordOf)[0],
    close: () => database.close(),
  };
}

function conditionsOf({ path, jobId, runId, since }: ChangeQuery): { clauses: string[]; values: SqlValue[] } {
  const clauses: string[] = [];
  const values: SqlValue[] = [];
  const add = (clause: string, ...given: SqlValue[]) => {
    clauses.push(clause);
    values.push(...given);
  };
  if (path !== undefined) {
    const column = isAbsolute(path) ? "file" : "path";
    // "0" is the character after "/": everything below the directory, and nothing else.
    add(`(${column} = ? OR (${column} > ? AND ${column} < ?))`, path, `${path}/`, `${path}0`);
  }
  if (jobId !== undefined) add("job = ?", jobId);
  if (runId !== undefined) add("run = ?", runId);
  if (since !== undefined) add("at >= ?", since);
  return { clauses, values };
}

/** What a row of `entries` says, and how it is carried out. */
export function plannedOf(row: SqlRow): PlannedChange {
  return { ...entryOf(row), copy: textOrNull(row["copy"]), staged: textOrNull(row["staged"]) };
}

function recordOf(row: SqlRow): RecordedChange {
  return { ...entryOf(row), id: Number(row["id"]), copy: textOrNull(row["copy"]) };
}

function entryOf(row: SqlRow): ChangeEntry {
  const text = (name: string) => String(row[name]);
  const numberOrNull = (name: string) => (row[name] === null ? null : Number(row[name]));
  return {
    jobId: text("job"),
    actionId: text("action"),
    runId: text("run"),
    at: Number(row["at"]),
    trigger: text("cause"),
    path: text("path"),
    file: text("file"),
    change: text("change") as ChangeEntry["change"],
    before: jsonOrNull(row["old"]) as ChangeEntry["before"],
    after: jsonOrNull(row["new"]) as ChangeEntry["after"],
    addedLines: numberOrNull("added"),
    removedLines: numberOrNull("removed"),
  };
}

function textOrNull(value: SqlValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function jsonOrNull(value: SqlValue | undefined): unknown {
  return typeof value === "string" ? JSON.parse(value) : null;
}
