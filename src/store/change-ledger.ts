import type { ChangeLedger, FileState, KnownFile, TrackedTree, UnfinishedBatch } from "../model/tracked-change.ts";
import { plannedOf, createChangeLedgerReader } from "./change-ledger-reader.ts";
import type { SqlDatabase, SqlRow } from "./sql-database.ts";
import { surplusCopies } from "./surplus-copies.ts";

/** The ledger over an open database; each call is one transaction. */
export function createChangeLedger(database: SqlDatabase): ChangeLedger {
  return {
    ...createChangeLedgerReader(database),
    tree: ({ jobId, actionId }) => {
      const row = database.all("SELECT * FROM trees WHERE job = ? AND action = ?", jobId, actionId)[0];
      return { baseline: row?.["baseline"] === 1, unsettled: row?.["unsettled"] === 1 };
    },
    setTree: ({ jobId, actionId }, { baseline, unsettled }) => {
      const sql = "INSERT OR REPLACE INTO trees VALUES (?, ?, ?, ?)";
      database.run(sql, jobId, actionId, Number(baseline), Number(unsettled));
    },
    file: ({ jobId, actionId }, path) =>
      database
        .all("SELECT * FROM files WHERE job = ? AND action = ? AND path = ?", jobId, actionId, path)
        .map(fileOf)[0],
    filesBelow: ({ jobId, actionId }, directory, after, limit) => {
      // "0" is the character after "/"; no path is beyond the largest character.
      const [first, end] = directory === "" ? ["", "\u{10ffff}"] : [`${directory}/`, `${directory}0`];
      return database
        .all(
          "SELECT * FROM files WHERE job = ? AND action = ? AND path > ? AND path < ? ORDER BY path LIMIT ?",
          ...[jobId, actionId, after > first ? after : first, end, limit],
        )
        .map(fileOf);
    },
    highestTicket: () => Number(database.all("SELECT max(ticket) AS highest FROM files")[0]?.["highest"] ?? 0),
    remember: (of, files) => database.transaction(() => rememberFiles(database, of, files)),
    begin: (batch, states) => {
      const { jobId, actionId } = batch.tree;
      database.transaction(() => {
        database.run("INSERT INTO batches (id, job, action) VALUES (?, ?, ?)", batch.id, jobId, actionId);
        for (const change of batch.changes) {
          database.run(
            `INSERT INTO entries (batch, at, run, job, action, cause, path, file, change, old, new, added, removed,
             copy, copy_size, staged) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            ...[batch.id, change.at, change.runId, jobId, actionId, change.trigger, change.path, change.file],
            ...[change.change, jsonOf(change.before), jsonOf(change.after), change.addedLines, change.removedLines],
            ...[change.copy, change.copy === null ? 0 : (change.before?.size ?? 0), change.staged],
          );
        }
        for (const path of states.forget) {
          database.run("DELETE FROM files WHERE job = ? AND action = ? AND path = ?", jobId, actionId, path);
        }
        rememberFiles(database, batch.tree, states.remember);
      });
    },
    unfinished: () => database.all("SELECT * FROM batches ORDER BY rowid").map((row) => batchOf(database, row)),
    setLogPosition: (batchId, { file, inode, offset }) => {
      const sql = "UPDATE batches SET log_file = ?, log_inode = ?, log_offset = ? WHERE id = ?";
      database.run(sql, file, inode, offset, batchId);
    },
    finish: (batchId) => void database.run("DELETE FROM batches WHERE id = ?", batchId),
    surplusCopies: (limits, limit) => surplusCopies(database, limits, limit),
    dropCopies: (ids) =>
      database.transaction(() => {
        for (const id of ids) database.run("UPDATE entries SET copy = NULL, copy_size = 0 WHERE id = ?", id);
      }),
    dropEntries: (beyond, limit) =>
      void database.run(
        `DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE copy IS NULL
         AND id <= (SELECT max(id) FROM entries) - ? AND batch NOT IN (SELECT id FROM batches) ORDER BY id LIMIT ?)`,
        ...[beyond, limit],
      ),
  };
}

function rememberFiles(database: SqlDatabase, { jobId, actionId }: TrackedTree, files: readonly KnownFile[]): void {
  for (const file of files) {
    database.run(
      "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[jobId, actionId, file.path, file.kind, file.size, file.sha256],
      ...[file.mode, file.uid, file.gid, file.stamp, file.ticket],
    );
  }
}

function batchOf(database: SqlDatabase, row: SqlRow): UnfinishedBatch {
  const id = String(row["id"]);
  const file = row["log_file"];
  return {
    id,
    tree: { jobId: String(row["job"]), actionId: String(row["action"]) },
    changes: database.all("SELECT * FROM entries WHERE batch = ? ORDER BY id", id).map(plannedOf),
    log: typeof file === "string" ? { file, inode: Number(row["log_inode"]), offset: Number(row["log_offset"]) } : null,
  };
}

function fileOf(row: SqlRow): KnownFile {
  return {
    path: String(row["path"]),
    kind: String(row["kind"]) as FileState["kind"],
    size: Number(row["size"]),
    sha256: typeof row["sha256"] === "string" ? row["sha256"] : null,
    mode: Number(row["mode"]),
    uid: Number(row["uid"]),
    gid: Number(row["gid"]),
    stamp: String(row["stamp"]),
    ticket: Number(row["ticket"]),
  };
}

function jsonOf(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
