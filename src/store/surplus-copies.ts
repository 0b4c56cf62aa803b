import type { CopyLimits } from "../model/tracked-change.ts";
import type { SqlDatabase, SqlRow, SqlValue } from "./sql-database.ts";

const kept = "job = ? AND copy IS NOT NULL AND batch NOT IN (SELECT id FROM batches)";

/** Previous copies that are too many of one file, too old, or too much together: the oldest first. */
export function surplusCopies(
  database: SqlDatabase,
  limits: CopyLimits,
  limit: number,
): { id: number; copy: string }[] {
  const { jobId, olderThan } = limits;
  const found = new Map<number, string>();
  const add = (rows: readonly SqlRow[]) => {
    for (const { id, copy } of rows) if (found.size < limit) found.set(Number(id), String(copy));
  };
  for (const [sql, values] of beyondLast(limits)) {
    if (found.size < limit) add(database.all(`${sql} LIMIT ?`, ...values, limit));
  }
  add(
    database.all(`SELECT id, copy FROM entries WHERE ${kept} AND at < ? ORDER BY id LIMIT ?`, jobId, olderThan, limit),
  );
  const total = Number(
    database.all(`SELECT sum(copy_size) AS size FROM entries WHERE ${kept}`, jobId)[0]?.["size"] ?? 0,
  );
  if (total <= limits.maxSize) return [...found].map(([id, copy]) => ({ id, copy }));
  const oldest = database.all(
    `SELECT id, copy, copy_size FROM entries WHERE ${kept} ORDER BY id LIMIT ?`,
    jobId,
    limit,
  );
  // What goes for another reason makes room too; those are counted where they come in the order of age.
  let size = total;
  for (const row of oldest) {
    if (size <= limits.maxSize) break;
    size -= Number(row["copy_size"]);
    add([row]);
  }
  return [...found].map(([id, copy]) => ({ id, copy }));
}

function beyondLast({ jobId, keepLast, only }: CopyLimits): [sql: string, values: SqlValue[]][] {
  if (only === undefined) {
    const ranked = `SELECT id, copy, row_number() OVER (PARTITION BY action, path ORDER BY id DESC) AS rank
      FROM entries WHERE ${kept}`;
    return [[`SELECT id, copy FROM (${ranked}) WHERE rank > ? ORDER BY id`, [jobId, keepLast]]];
  }
  const sql = `SELECT id, copy FROM entries WHERE ${kept} AND action = ? AND path = ? AND id NOT IN
    (SELECT id FROM entries WHERE ${kept} AND action = ? AND path = ? ORDER BY id DESC LIMIT ?) ORDER BY id`;
  return only.paths.map((path) => [sql, [...[jobId, only.actionId, path], ...[jobId, only.actionId, path], keepLast]]);
}
