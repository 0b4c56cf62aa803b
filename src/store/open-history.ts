import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import { OperatorError, describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { DirtyStore, PendingSummary } from "../model/changes.ts";
import type { DirectorEvents, LastJobResult } from "../model/events.ts";
import type { RunSize } from "../model/run-size.ts";
import { openHistoryFileForReading } from "./database.ts";
import { DatabaseKeeper, type HistoryState } from "./database-keeper.ts";
import { createDirtyStore, readPending } from "./dirty-store.ts";
import { loadLibsqlDriver } from "./libsql-driver.ts";
import { recordHistory } from "./record-history.ts";
import { recordLocks } from "./record-locks.ts";
import type { Retention } from "./retention.ts";
import { createRunHistory, readLastResults, readLastRunAt, type RunHistory } from "./run-history.ts";
import { recordInterruptedRuns } from "./run-records.ts";
import { readRunSizes } from "./run-sizes.ts";
import { isOwnerAlive, runOwnerOf } from "./run-owner.ts";
import { createScheduleLedger, type ScheduleLedger } from "./schedule-ledger.ts";
import { SqlError, type SqlDriver } from "./sql-database.ts";

/** The history of a running director. */
export interface History {
  readonly ledger: ScheduleLedger;
  /** What changed in watched directories and has not arrived. */
  readonly dirty: DirtyStore;
  /** Empty while the database does not work. */
  lastJobResults(): LastJobResult[];
  /** The last successful runs of each job, at most `limit`, oldest first; empty while the database does not work. */
  runSizes(jobIds: readonly string[], limit: number): ReadonlyMap<string, readonly RunSize[]>;
  /** When the run that was recorded last began; null: there is none, or the database does not work. */
  lastRunAt(): number | null;
  state(): HistoryState;
  /** Asks the history; undefined while the database does not work. */
  query<T>(ask: (history: RunHistory) => T): T | undefined;
  /** Writes what still waits. What happens afterwards is not recorded. */
  close(): void;
}

export interface HistoryOptions {
  /** The database; it and its directory are made when missing. */
  file: string;
  retention: Retention;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  /** From when the ages of what is deleted are counted back (ms); the wall clock, unless somebody doubts that. */
  believedNow?: () => number;
  log: Logger;
  loadDriver?: () => Promise<SqlDriver>;
}

/**
 * Opens the history and begins to record. It never fails: without a working database the jobs run all
 * the same, `history:state` says so, and what happens is kept in memory for when it works again.
 */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const { file, retention, events, clock, log, loadDriver = loadLibsqlDriver } = options;
  const { believedNow = () => clock.now() } = options;
  const onState = (state: HistoryState) => events.emit("history:state", state);
  const keeper = new DatabaseKeeper({ path: file, loadDriver, clock, log, onState });
  await keeper.start();
  const interruptedRuns = keeper.attempt((database) =>
    database.transaction(() => recordInterruptedRuns(database, isOwnerAlive)),
  );
  for (const run of interruptedRuns ?? []) log.warn({ run }, "run was interrupted: its director ended before it did");
  const owner = runOwnerOf(process.pid) ?? `unknown:${process.pid}:0`;
  const stopRecording = recordHistory({ events, keeper, retention, owner, clock, believedNow });
  const stopRecordingLocks = recordLocks({ events, keeper, owner });
  return {
    ledger: createScheduleLedger(keeper),
    dirty: createDirtyStore(keeper),
    lastJobResults: () => keeper.attempt(readLastResults) ?? [],
    runSizes: (jobIds, limit) =>
      new Map(keeper.attempt((database) => jobIds.map((id) => [id, readRunSizes(database, id, limit)] as const)) ?? []),
    lastRunAt: () => keeper.attempt(readLastRunAt) ?? null,
    state: () => keeper.state,
    query: (ask) => keeper.attempt((database) => ask(createRunHistory(database, isOwnerAlive))),
    close: () => {
      stopRecording();
      stopRecordingLocks();
      keeper.close();
    },
  };
}

/** What can be read beside a director that may be running. */
export interface HistoryReader extends RunHistory {
  /** How every job last ended, and every target of those that have several. */
  lastJobResults(): LastJobResult[];
  /** What watched jobs have seen to change and has not arrived. */
  pending(): PendingSummary[];
  close(): void;
}

/**
 * The history of a director that may be running, for the command line. Undefined when nothing was ever
 * recorded. Throws an `OperatorError` when it cannot be read.
 */
export async function readHistory(file: string): Promise<HistoryReader | undefined> {
  try {
    const database = openHistoryFileForReading(await loadLibsqlDriver(), file);
    if (database === undefined) return undefined;
    return {
      ...createRunHistory(database, isOwnerAlive),
      lastJobResults: () => readLastResults(database),
      pending: () => readPending(database),
      close: () => database.close(),
    };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new OperatorError(`cannot read the history ${file}: ${describeError(error)}`, { cause: undefined });
  }
}
