import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { ChangeLedger, TrackedTree } from "../model/tracked-change.ts";
import { type BackupPlaces, backupPlaces } from "./backup-places.ts";
import { carryOutBatch, logTextName, syncDirectory } from "./carry-out-batch.ts";
import type { ChangeLogSettings } from "./change-log.ts";
import { type ChangeOrigin, planBatch } from "./plan-batch.ts";
import type { StagedFile } from "./staged-file.ts";
import type { Differ } from "./unified-diff.ts";

export interface ChangeStoreDeps {
  /** Opens the ledger, or throws. `onDamaged` is told where a broken one was moved to. */
  readonly openLedger: (file: string, onDamaged: (movedTo: string) => void) => Promise<ChangeLedger>;
  /** Where a job logs; also for jobs that are not in the configuration any more. */
  readonly logOf: (jobId: string) => ChangeLogSettings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each step before it is done; only tests listen. */
  readonly step?: ((name: string) => void) | undefined;
}

/**
 * One backup directory: its ledger, its copies, its batches. Work on it is done one after the other. Whatever fails
 * is thrown, and what was decided before is carried out the next time.
 */
export class ChangeStore {
  readonly places: BackupPlaces;
  readonly #deps: ChangeStoreDeps;
  #ledger: Promise<ChangeLedger> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #ticket = 0;
  readonly #staging = new Set<string>();

  constructor(root: string, deps: ChangeStoreDeps) {
    this.places = backupPlaces(root);
    this.#deps = deps;
  }

  /** The ledger, opened when it is first needed; what a crash left is carried out before. */
  ledger(): Promise<ChangeLedger> {
    this.#ledger ??= this.#open().catch((error: unknown) => {
      this.#ledger = undefined;
      throw error;
    });
    return this.#ledger;
  }

  /** One piece of work at a time. */
  inTurn<T>(work: (ledger: ChangeLedger) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => work(await this.ledger()));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** A number larger than all before: who looks later has the larger one. */
  nextTicket(): number {
    this.#ticket += 1;
    return this.#ticket;
  }

  /** A directory for what one sync stages; it stays until `discard`. */
  async newStaging(): Promise<{ name: string; directory: string }> {
    const name = randomBytes(6).toString("hex");
    this.#staging.add(name);
    const directory = this.places.stagingOf(name);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return { name, directory };
  }

  /** What was staged is of no use any more, unless a batch that could not be carried out yet needs it. */
  async discard(name: string): Promise<void> {
    this.#staging.delete(name);
    await this.inTurn((ledger) => this.#sweep(ledger));
  }

  /** Decides and carries out what was staged; returns the paths that changed. */
  record(
    staged: readonly StagedFile[],
    { tree, origin, differ }: { tree: TrackedTree; origin: ChangeOrigin; differ: Differ },
  ): Promise<string[]> {
    return this.inTurn(async (ledger) => {
      await this.#carryOutUnfinished(ledger);
      const changed: string[] = [];
      for (let next = 0; next < staged.length;) {
        const id = randomBytes(6).toString("hex");
        const options = { batchId: id, tree, origin, ledger, places: this.places, differ };
        const found = await planBatch(staged, next, options);
        const { changes, remember, forget, logEntries } = found.plan;
        if (changes.length === 0) ledger.remember(tree, remember);
        else {
          await this.#writeLogText(id, logEntries);
          this.#step("begin");
          ledger.begin({ id, tree, changes }, { remember, forget });
          this.#step("begun");
          await this.#carryOutUnfinished(ledger);
        }
        changed.push(...changes.map(({ path }) => path));
        next = found.next;
      }
      return changed;
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    const ledger = await this.#ledger?.catch(() => undefined);
    this.#ledger = undefined;
    ledger?.close();
  }

  async #open(): Promise<ChangeLedger> {
    const { root, ledger: file, staging } = this.places;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    mkdirSync(staging, { recursive: true, mode: 0o700 });
    const ledger = await this.#deps.openLedger(file, (movedTo) =>
      this.#deps.log.error({ file, movedTo }, "ledger of changes was damaged, starting a new one"),
    );
    try {
      this.#ticket = Math.max(this.#ticket, ledger.highestTicket());
      await this.#carryOutUnfinished(ledger);
      // What is still there was staged for a sync that nobody knows the end of.
      await this.#sweep(ledger);
    } catch (error) {
      ledger.close();
      throw error;
    }
    return ledger;
  }

  async #carryOutUnfinished(ledger: ChangeLedger): Promise<void> {
    for (const batch of ledger.unfinished()) {
      const log = this.#deps.logOf(batch.tree.jobId);
      await carryOutBatch(batch, { ledger, places: this.places, log, step: (name) => this.#step(name) });
    }
  }

  /** Removes what nobody needs from the staging directory. */
  async #sweep(ledger: ChangeLedger): Promise<void> {
    if (ledger.unfinished().length > 0) return;
    for (const name of await readdir(this.places.staging)) {
      if (!this.#staging.has(name)) await rm(join(this.places.staging, name), { recursive: true, force: true });
    }
  }

  async #writeLogText(batchId: string, entries: readonly Buffer[]): Promise<void> {
    const directory = this.places.stagingOf(batchId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    this.#step("write log text");
    const file = await open(join(directory, logTextName), "w", 0o600);
    try {
      await file.writeFile(Buffer.concat(entries));
      await file.sync();
    } finally {
      await file.close();
    }
    await syncDirectory(directory);
    await syncDirectory(this.places.staging);
  }

  #step(name: string): void {
    this.#deps.step?.(name);
  }
}
