import { pruneLockEvents } from "./lock-events.ts";
import { pruneScheduleLedger } from "./schedule-ledger.ts";
import type { SqlDatabase } from "./sql-database.ts";

export interface Retention {
  readonly keepRuns: number;
  readonly keepMs: number;
}

/** One step deletes at most so many runs: SQLite's calls hold up the whole director. */
const runsPerStep = 100;
const lockEventsPerStep = 2000;
const freedPagesPerStep = 2000;
/** All kept output together, compressed; the oldest goes first. It bounds the size of the file. */
const keptOutputBudget = 256 * 1024 * 1024;

/**
 * Deletes what is beyond the count or the age and gives free pages back to the filesystem, a bounded
 * piece at a time. Returns whether there is more to do. Runs that have not ended stay.
 */
export function pruneHistory(
  database: SqlDatabase,
  options: { retention: Retention; now: number; outputBudget?: number },
): boolean {
  const { retention, now, outputBudget = keptOutputBudget } = options;
  const isUnfinished = database.transaction(() => {
    pruneScheduleLedger(database, now);
    const locks = pruneLockEvents(database, { before: now - retention.keepMs, step: lockEventsPerStep });
    const runs = database.run(
      `DELETE FROM runs WHERE id IN (
         SELECT id FROM runs WHERE outcome IS NOT NULL AND (started_at < ? OR id <= ?) ORDER BY id LIMIT ?)`,
      now - retention.keepMs,
      lastBeyondCount(database, retention.keepRuns),
      runsPerStep,
    ).changes;
    return runs + pruneOutputs(database, outputBudget) >= runsPerStep || locks;
  });
  database.all(`PRAGMA incremental_vacuum(${freedPagesPerStep})`);
  return isUnfinished;
}

function lastBeyondCount(database: SqlDatabase, keepRuns: number): number {
  const row = database.all("SELECT id FROM runs ORDER BY id DESC LIMIT 1 OFFSET ?", keepRuns)[0];
  return Number(row?.["id"] ?? -1);
}

function pruneOutputs(database: SqlDatabase, budget: number): number {
  const used = Number(database.all("SELECT total(stored_bytes) AS used FROM outputs")[0]?.["used"] ?? 0);
  let excess = used - budget;
  if (excess <= 0) return 0;
  const oldest = database.all("SELECT action, stored_bytes FROM outputs ORDER BY action LIMIT ?", runsPerStep);
  let deleted = 0;
  for (const row of oldest) {
    if (excess <= 0) break;
    database.run("DELETE FROM outputs WHERE action = ?", row["action"] ?? null);
    excess -= Number(row["stored_bytes"]);
    deleted += 1;
  }
  return deleted;
}
