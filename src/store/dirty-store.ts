import type {
  ChangeDestination,
  DirtyStore,
  PendingSummary,
  StoredChange,
  StoredDestination,
} from "../model/changes.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import type { SqlDatabase, SqlRow } from "./sql-database.ts";

const upsertDestination = `
  INSERT INTO dirty_destinations (job_id, action_id, target_id, fingerprint, clean, full_reason, full_since)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (job_id, action_id, target_id) DO UPDATE SET fingerprint = excluded.fingerprint,
    clean = excluded.clean, full_reason = excluded.full_reason, full_since = excluded.full_since`;
const thisOne = "job_id = ? AND action_id = ? AND target_id = ?";
const idOf = `(SELECT id FROM dirty_destinations WHERE ${thisOne})`;
// Adds nothing where the destination is missing, in a database that was made anew: then everything counts as changed.
const upsertPath = `INSERT OR REPLACE INTO dirty_paths (path, kind, since, destination)
  SELECT ?, ?, ?, id FROM dirty_destinations WHERE ${thisOne}`;

/** So many paths are one change of the database: it gives up what is too much to wait in memory. */
const together = 10_000;

/** The journal of changes in the history's database. */
export function createDirtyStore(keeper: DatabaseKeeper): DirtyStore {
  /** At once where the database works, because a change that is only in memory dies with the process. */
  const write = (bytes: number, apply: (database: SqlDatabase) => void) => {
    keeper.write({ bytes, apply });
    keeper.flush();
  };
  return {
    load: () => keeper.attempt(loadDestinations),
    put: (destination) => {
      const { fingerprint, clean, everything } = destination;
      write(200, (database) => {
        const full = [everything?.reason ?? null, everything?.since ?? null] as const;
        database.run(upsertDestination, ...keysOf(destination), fingerprint, clean ? 1 : 0, ...full);
      });
    },
    add: (of, changes) => {
      for (let start = 0; start < changes.length; start += together) {
        const part = changes.slice(start, start + together);
        write(sizeOf(part), (database) => {
          for (const { path, kind, since } of part) database.run(upsertPath, path, kind, since, ...keysOf(of));
        });
      }
    },
    remove: (of, paths) =>
      write(100 + (paths ?? []).reduce((sum, path) => sum + path.length, 0), (database) => {
        if (paths === null) database.run(`DELETE FROM dirty_paths WHERE destination = ${idOf}`, ...keysOf(of));
        for (const path of paths ?? []) {
          database.run(`DELETE FROM dirty_paths WHERE destination = ${idOf} AND path = ?`, ...keysOf(of), path);
        }
      }),
    forget: (of) =>
      write(100, (database) => {
        database.run(`DELETE FROM dirty_destinations WHERE id = ${idOf}`, ...keysOf(of));
      }),
  };
}

function loadDestinations(database: SqlDatabase): StoredDestination[] {
  const paths = new Map<number, StoredChange[]>();
  for (const row of database.all("SELECT destination, path, kind, since FROM dirty_paths")) {
    const change = {
      path: String(row["path"]),
      kind: row["kind"] as StoredChange["kind"],
      since: Number(row["since"]),
    };
    const destination = Number(row["destination"]);
    const others = paths.get(destination);
    if (others === undefined) paths.set(destination, [change]);
    else others.push(change);
  }
  return database
    .all("SELECT * FROM dirty_destinations ORDER BY id")
    .map((row) => ({ ...readDestination(row), paths: paths.get(Number(row["id"])) ?? [] }));
}

/** The same in figures, for those who only look. */
export function readPending(database: SqlDatabase): PendingSummary[] {
  const rows = database.all(
    `SELECT d.*, count(p.path) AS files, min(p.since) AS oldest FROM dirty_destinations d
     LEFT JOIN dirty_paths p ON p.destination = d.id GROUP BY d.id ORDER BY d.id`,
  );
  return rows.flatMap((row) => {
    const { jobId, actionId, targetId, everything } = readDestination(row);
    const oldest = typeof row["oldest"] === "number" ? row["oldest"] : Infinity;
    const oldestAt = Math.min(oldest, everything?.since ?? Infinity);
    if (oldestAt === Infinity) return [];
    return [{ jobId, actionId, targetId, files: everything === null ? Number(row["files"]) : null, oldestAt }];
  });
}

function readDestination(row: SqlRow): Omit<StoredDestination, "paths"> {
  const reason = row["full_reason"];
  return {
    jobId: String(row["job_id"]),
    actionId: String(row["action_id"]),
    targetId: String(row["target_id"]),
    fingerprint: String(row["fingerprint"]),
    clean: row["clean"] === 1,
    everything: typeof reason === "string" ? { reason, since: Number(row["full_since"]) } : null,
  };
}

function keysOf({ jobId, actionId, targetId }: ChangeDestination): [string, string, string] {
  return [jobId, actionId, targetId];
}

function sizeOf(changes: readonly StoredChange[]): number {
  return 200 + changes.reduce((sum, { path }) => sum + path.length + 50, 0);
}
