import { coerceError, describeError } from "../base/errors.ts";
import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { openHistoryFile, type OpenHistoryFile } from "./database.ts";
import { inodeOf, moveAside } from "./database-file.ts";
import { sqlFailureOf, type SqlDatabase, type SqlDriver } from "./sql-database.ts";

/** A change of the database that can be made later, and twice, with the same result. */
export interface HistoryWrite {
  /** About how much memory it takes while it waits. */
  readonly bytes: number;
  apply(database: SqlDatabase): void;
}

export interface HistoryState {
  ok: boolean;
  detail: string;
}

export interface DatabaseKeeperOptions {
  path: string;
  /** Rejects where the native module cannot be loaded. */
  loadDriver: () => Promise<SqlDriver>;
  clock: Clock;
  log: Logger;
  onState: (state: HistoryState) => void;
}

/** Most that waits in memory while the database does not work; the oldest is given up first. */
const waitingLimit = { entries: 2000, bytes: 32 * 1024 * 1024 };
/** Several changes of a busy moment share one transaction, and one fsync: so long is waited for them, or until there are so many. */
const gatherMs = 200;
const gathered = 100;
const retryDelaysMs = [1000, 5000, 15_000, 60_000];
/** SQLite's calls are synchronous: the whole director waits with them, so better write later. */
const busyTimeoutMs = 1000;

/**
 * The one connection that writes. It never throws: while the database does not work, changes wait in
 * memory and are made when it works again; a file that is no database any more is moved aside.
 */
export class DatabaseKeeper {
  readonly #options: DatabaseKeeperOptions;
  #driver: SqlDriver | undefined;
  #open: OpenHistoryFile | undefined;
  #waiting: HistoryWrite[] = [];
  #lost = 0;
  #failures = 0;
  #detail = "";
  #cancelTimer: CancelTimer | undefined;
  /** There is nobody to write to any more, or never was. */
  #closed = false;

  constructor(options: DatabaseKeeperOptions) {
    this.#options = options;
  }

  /** Loads the driver and opens the file; resolves also when that fails. */
  async start(): Promise<void> {
    try {
      this.#driver = await this.#options.loadDriver();
    } catch (error) {
      this.#options.log.error({ error: describeError(error) }, "history cannot be kept: SQLite cannot be loaded");
      this.#setState(`SQLite cannot be loaded: ${coerceError(error).message}`);
      this.close();
      return;
    }
    this.flush();
  }

  get state(): HistoryState {
    return { ok: this.#detail === "", detail: this.#detail };
  }

  /** Makes the change soon, together with its neighbours. */
  write(entry: HistoryWrite): void {
    if (this.#closed) return;
    this.#waiting.push(entry);
    if (this.#waiting.length >= gathered) this.flush();
    this.#giveUpOldest();
    this.#cancelTimer ??= this.#startTimer(gatherMs);
  }

  /** Makes every waiting change now; not while the database is known not to work. */
  flush(): void {
    if (this.#driver === undefined || this.#closed || this.#failures > 0) return;
    this.#work();
  }

  /** The answer, or undefined when the database does not work; waiting changes are made first. */
  attempt<T>(query: (database: SqlDatabase) => T): T | undefined {
    this.flush();
    if (this.#open === undefined || this.#failures > 0) return undefined;
    try {
      return query(this.#open.database);
    } catch (error) {
      if (sqlFailureOf(error) === "unexpected") {
        this.#options.log.error({ error: describeError(error) }, "history query failed");
      } else {
        this.#fail(error);
      }
      return undefined;
    }
  }

  /** A last try to write what waits; afterwards nothing is taken any more. */
  close(): void {
    if (this.#closed) return;
    this.#cancelTimer?.();
    if (this.#driver !== undefined) this.#work();
    this.#cancelTimer?.();
    this.#closed = true;
    this.#disconnect();
    const lost = this.#lost + this.#waiting.length;
    if (lost > 0) this.#options.log.error({ lost, detail: this.#detail }, "history is incomplete");
  }

  #startTimer(ms: number): CancelTimer {
    return this.#options.clock.setTimer(ms, () => {
      this.#cancelTimer = undefined;
      if (this.#driver !== undefined) this.#work();
    });
  }

  #work(): void {
    for (const replacing of [false, true]) {
      try {
        const database = this.#connect();
        while (this.#waiting.length > 0) this.#writeSome(database, this.#waiting.slice(0, gathered));
        this.#succeed();
        return;
      } catch (error) {
        this.#fail(error);
        // A damaged file is out of the way now: what waits can be written to a new one at once.
        if (replacing || sqlFailureOf(error) !== "damaged") return;
      }
    }
  }

  #writeSome(database: SqlDatabase, entries: readonly HistoryWrite[]): void {
    try {
      database.transaction(() => entries.forEach((entry) => entry.apply(database)));
    } catch (error) {
      if (sqlFailureOf(error) !== "unexpected") throw error;
      // One that can never be written must not hold up the others.
      if (entries.length > 1) return entries.forEach((entry) => this.#writeSome(database, [entry]));
      this.#lost += 1;
      this.#options.log.error({ error: describeError(error) }, "history entry dropped");
    }
    const done = new Set(entries);
    this.#waiting = this.#waiting.filter((entry) => !done.has(entry));
  }

  #connect(): SqlDatabase {
    if (this.#driver === undefined) throw new Error("SQLite is not loaded");
    const { path, log } = this.#options;
    if (this.#open !== undefined && inodeOf(path) !== this.#open.inode) {
      log.warn({ file: path }, "history file was replaced, opening the new one");
      this.#disconnect();
    }
    this.#open ??= openHistoryFile(this.#driver, path, busyTimeoutMs);
    return this.#open.database;
  }

  #succeed(): void {
    const failed = this.#failures > 0;
    this.#failures = 0;
    if (failed || this.#lost > 0) {
      this.#options.log.warn({ file: this.#options.path, lost: this.#lost }, "history is written again");
      this.#lost = 0;
    }
    this.#setState("");
  }

  #fail(error: unknown): void {
    const { path, log, clock } = this.#options;
    this.#disconnect();
    if (sqlFailureOf(error) === "damaged") {
      try {
        const aside = moveAside(path, clock.now());
        log.error(
          { file: path, movedTo: aside, error: describeError(error) },
          "history was damaged, starting a new one",
        );
      } catch (moveError) {
        log.error({ file: path, error: describeError(moveError) }, "history is damaged and stays in the way");
      }
    } else if (this.#failures === 0) {
      log.error({ file: path, error: describeError(error) }, "history cannot be written, jobs run on");
    }
    const delay = retryDelaysMs[Math.min(this.#failures, retryDelaysMs.length - 1)] as number;
    this.#failures += 1;
    this.#setState(describeError(error));
    this.#cancelTimer?.();
    this.#cancelTimer = this.#startTimer(delay);
  }

  #setState(detail: string): void {
    if (this.#detail === detail) return;
    this.#detail = detail;
    this.#options.onState(this.state);
  }

  #disconnect(): void {
    try {
      this.#open?.database.close();
    } catch (error) {
      this.#options.log.warn({ error: describeError(error) }, "history could not be closed");
    }
    this.#open = undefined;
  }

  #giveUpOldest(): void {
    let bytes = this.#waiting.reduce((sum, entry) => sum + entry.bytes, 0);
    while (this.#waiting.length > waitingLimit.entries || bytes > waitingLimit.bytes) {
      bytes -= this.#waiting.shift()?.bytes ?? 0;
      this.#lost += 1;
    }
  }
}
