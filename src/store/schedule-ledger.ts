import type { DatabaseKeeper } from "./database-keeper.ts";
import type { SqlDatabase } from "./sql-database.ts";

/** Remembers which scheduled times were used, over restarts too, so that none is used twice. */
export interface ScheduleLedger {
  /** The latest time (ms) up to `until` that was claimed for the schedule, or null. */
  lastScheduled(key: string, until: number): number | null;
  /**
   * True exactly once for each time of a schedule. `localLabel` is its wall-clock time where that must
   * not come twice either (the hour that is repeated in autumn), else null.
   */
  claim(key: string, scheduledFor: number, localLabel: string | null): boolean;
  /** Records when the schedule was first seen. It is written soon, together with its neighbours. */
  note(key: string, instant: number): void;
}

/** Claims of this process, per schedule; enough for the repeated hour of a minutely schedule. */
const remembered = 200;
const keepMs = 60 * 86_400_000;
/** A schedule that was not used for so long has left the configuration. */
const forgetMs = 400 * 86_400_000;

const insertClaim = "INSERT OR IGNORE INTO schedule_ledger VALUES (?, ?, ?)";

/** While the database does not work, what this process has claimed itself is all that is known. */
export function createScheduleLedger(keeper: DatabaseKeeper): ScheduleLedger {
  const claims = new Map<string, { scheduledFor: number; localLabel: string | null }[]>();
  return {
    lastScheduled(key, until) {
      const own = (claims.get(key) ?? []).map((claim) => claim.scheduledFor).filter((time) => time <= until);
      const sql = "SELECT max(scheduled_for) AS last FROM schedule_ledger WHERE key = ? AND scheduled_for <= ?";
      const row = keeper.attempt((database) => database.all(sql, key, until))?.[0];
      const known = typeof row?.["last"] === "number" ? [...own, row["last"]] : own;
      return known.length === 0 ? null : Math.max(...known);
    },
    claim(key, scheduledFor, localLabel) {
      const own = claims.get(key) ?? [];
      const taken = own.some(
        (claim) => claim.scheduledFor === scheduledFor || (localLabel !== null && claim.localLabel === localLabel),
      );
      if (taken) return false;
      claims.set(key, own.slice(1 - remembered).concat({ scheduledFor, localLabel }));
      const insert = (database: SqlDatabase) => database.run(insertClaim, key, scheduledFor, localLabel);
      const inserted = keeper.attempt(insert);
      if (inserted !== undefined) return inserted.changes === 1;
      keeper.write({ bytes: 200, apply: (database) => void insert(database) });
      return true;
    },
    note(key, instant) {
      claims.set(key, (claims.get(key) ?? []).concat({ scheduledFor: instant, localLabel: null }));
      keeper.write({ bytes: 200, apply: (database) => void database.run(insertClaim, key, instant, null) });
    },
  };
}

/**
 * Old claims go; the last one of each schedule stays, because it tells what was missed. One of the future, left by a clock
 * that was wrong, does not take its place.
 */
export function pruneScheduleLedger(database: SqlDatabase, now: number): void {
  database.run(
    `DELETE FROM schedule_ledger WHERE scheduled_for < ? OR (scheduled_for < ? AND scheduled_for <
       (SELECT max(newer.scheduled_for) FROM schedule_ledger newer WHERE newer.key = schedule_ledger.key
       AND newer.scheduled_for <= ?))`,
    now - forgetMs,
    now - keepMs,
    now,
  );
}
