import type { Clock } from "../base/clock.ts";
import { describeError, systemErrorCode } from "../base/errors.ts";
import type { KnownFile, TrackedTree } from "../model/tracked-change.ts";
import { isSafePath } from "./backup-places.ts";
import type { ChangeStore } from "./change-store.ts";
import { eachOf } from "./each-of.ts";
import { pruneCopies } from "./prune-copies.ts";
import { type StagedFile, stageFile, type TrackedPath } from "./staged-file.ts";
import { takeBaseline } from "./take-baseline.ts";
import type { TrackingListeners, TrackingSettings } from "./tracking-settings.ts";

/** What is known of a tree beyond its ledger, as long as this process lives. */
export class TreeProgress {
  running = 0;
  /** undefined: the ledger was not asked yet. */
  unsettled: boolean | undefined;
  baseline: Promise<void> | undefined;
}

export interface TrackedSyncDeps extends TrackingListeners {
  readonly tree: TrackedTree;
  readonly store: ChangeStore;
  readonly settings: TrackingSettings;
  readonly progress: TreeProgress;
  readonly origin: { readonly runId: string; readonly trigger: string };
  readonly clock: Clock;
  /** From when the ages of previous copies are counted back (ms). */
  readonly believedNow: () => number;
}

type Paths = Iterable<TrackedPath> | AsyncIterable<TrackedPath>;
/** The files of a tree, which take a while to be listed. */
type List = () => Promise<Iterable<TrackedPath>>;

/** Files that are looked at side by side. */
const width = 8;
const page = 1000;

/** The tracking of one try of one sync: `begin`, then `stage` and `commit`, and `end` in any case. */
export class TrackedSync {
  readonly #deps: TrackedSyncDeps;
  readonly #troubles: string[] = [];
  #staging: { name: string; directory: string } | undefined;
  #staged = new Map<string, StagedFile>();
  #begun = false;

  constructor(deps: TrackedSyncDeps) {
    this.#deps = deps;
  }

  /** What could not be tracked, for people: the first of each kind. */
  get troubles(): readonly string[] {
    return this.#troubles;
  }

  /**
   * A sync is about to start. The first one of a tree takes the baseline of every file that `list` names.
   * `unsettled`: an earlier sync did not end well, and what it copied is known to nobody.
   */
  async begin(list: List, signal?: AbortSignal): Promise<{ unsettled: boolean }> {
    const { store, tree, progress } = this.#deps;
    const ledger = await store.ledger();
    progress.unsettled ??= ledger.tree(tree).unsettled;
    if (!ledger.tree(tree).baseline) {
      progress.baseline ??= this.#takeBaselines(list, signal).finally(() => (progress.baseline = undefined));
      await progress.baseline;
    }
    progress.running += 1;
    this.#begun = true;
    this.#step("mark unsettled");
    ledger.setTree(tree, { baseline: true, unsettled: true });
    return { unsettled: progress.unsettled };
  }

  /** Keeps what these files are like now; a path that is not there stands for all that was below it. */
  async stage(paths: Paths, signal?: AbortSignal): Promise<void> {
    const { store, tree, settings } = this.#deps;
    const ledger = await store.ledger();
    this.#staging ??= await store.newStaging();
    const staging = this.#staging;
    const look = async (found: TrackedPath): Promise<void> => {
      if (!this.#concerns(found)) return;
      const options = {
        ...{ tree, ledger, places: store.places, staging, ticket: store.nextTicket() },
        ...{ maxSize: settings.maxFileSize, now: this.#deps.clock.now(), signal },
      };
      const staged = await this.#unlessUnreadable(found, stageFile(found, options));
      if (staged === undefined) return;
      this.#staged.set(found.path, staged);
      if (staged.state === null) for (const below of this.#knownBelow(found, ledger)) await look(below);
    };
    await eachOf(paths, width, look);
    this.#step("staged");
  }

  /** The files of the tree that the ledger knows and `present` does not; to be staged like others. */
  async *vanished(present: ReadonlySet<string>, fileOf: (path: string) => string): AsyncGenerator<TrackedPath> {
    const ledger = await this.#deps.store.ledger();
    for (const { path } of this.#knownBelow({ path: "", file: "" }, ledger)) {
      if (!present.has(path)) yield { path, file: fileOf(path) };
    }
  }

  /**
   * The sync succeeded. `carried` says of a file that nobody knew before whether the sync carried it; a filter
   * of the sync's may leave it out. Returns how many changes were recorded.
   */
  async commit(carried: (path: string) => boolean = () => true): Promise<number> {
    const { store, tree, settings, origin, clock, believedNow } = this.#deps;
    const ledger = await store.ledger();
    const staged = [...this.#staged.values()]
      .filter(({ path }) => carried(path) || ledger.file(tree, path) !== undefined)
      .toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const at = clock.now();
    const changed = await store.record(staged, { tree, origin: { ...origin, at }, differ: settings.differ });
    if (changed.length === 0) return 0;
    this.#deps.onRecorded?.({ ...tree, runId: origin.runId }, changed.length);
    this.#step("prune");
    await store.inTurn((open) =>
      pruneCopies(open, store.places, {
        ...{ jobId: tree.jobId, keepLast: settings.keepLast, maxSize: settings.maxSize },
        ...{ olderThan: believedNow() - settings.keepMs, only: { actionId: tree.actionId, paths: changed } },
      }),
    );
    return changed.length;
  }

  /** `settled`: the sync succeeded and everything it copied is recorded. Never throws. */
  async end({ settled }: { settled: boolean }): Promise<void> {
    const { store, tree, progress } = this.#deps;
    try {
      if (this.#staging !== undefined) await store.discard(this.#staging.name);
      if (!this.#begun) return;
      progress.running -= 1;
      progress.unsettled = !settled;
      if (progress.running === 0 && settled) (await store.ledger()).setTree(tree, { baseline: true, unsettled: false });
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Tracking must never hurt the copy: what went wrong is told and counted. */
  trouble(error: unknown): void {
    const { tree, origin, onTrouble } = this.#deps;
    const message = describeError(error);
    if (this.#troubles.length < 3 && !this.#troubles.includes(message)) this.#troubles.push(message);
    onTrouble?.({ ...tree, runId: origin.runId }, message);
  }

  async #takeBaselines(list: List, signal?: AbortSignal): Promise<void> {
    const { store, tree, settings, progress, clock } = this.#deps;
    const ledger = await store.ledger();
    const staging = await store.newStaging();
    let taken: KnownFile[] = [];
    try {
      await eachOf(await list(), width, async (found) => {
        signal?.throwIfAborted();
        if (!this.#concerns(found)) return;
        if (ledger.file(tree, found.path) !== undefined) {
          // An earlier attempt had come so far, and the file may have changed since.
          progress.unsettled = true;
          return;
        }
        const options = {
          ...{ tree, ledger, places: store.places, staging, ticket: store.nextTicket() },
          ...{ maxSize: settings.maxFileSize, now: clock.now(), signal },
        };
        const baseline = await this.#unlessUnreadable(found, takeBaseline(found, options));
        if (baseline === undefined) return;
        if (baseline.differs) progress.unsettled = true;
        taken.push(baseline.known);
        if (taken.length >= page) {
          const full = taken;
          taken = [];
          this.#step("remember baselines");
          ledger.remember(tree, full);
        }
      });
      ledger.remember(tree, taken);
      this.#step("baseline taken");
      ledger.setTree(tree, { baseline: true, unsettled: progress.unsettled ?? false });
    } finally {
      await store.discard(staging.name);
    }
  }

  *#knownBelow(
    { path, file }: TrackedPath,
    ledger: Awaited<ReturnType<ChangeStore["ledger"]>>,
  ): Generator<TrackedPath> {
    for (let after = ""; ;) {
      const below = ledger.filesBelow(this.#deps.tree, path, after, page);
      for (const known of below) yield { path: known.path, file: `${file}${known.path.slice(path.length)}` };
      if (below.length < page) return;
      after = below.at(-1)?.path ?? "";
    }
  }

  /** Neither what cannot be named nor what the tracker itself writes. */
  #concerns({ path, file }: TrackedPath): boolean {
    const { backupDir, logFile } = this.#deps.settings;
    if (!isSafePath(path) || file === backupDir || file.startsWith(`${backupDir}/`)) return false;
    return file !== logFile && !file.startsWith(`${logFile}.`);
  }

  /** A file that this account may not read is a trouble of its own; a full disk is one of the whole. */
  async #unlessUnreadable<T>({ file }: TrackedPath, work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (!["EACCES", "EPERM", "EIO", "ESTALE", "ENAMETOOLONG"].includes(systemErrorCode(error) ?? "")) throw error;
      this.trouble(new Error(`${JSON.stringify(file)} cannot be tracked: ${describeError(error)}`));
      return undefined;
    }
  }

  #step(name: string): void {
    this.#deps.step?.(name);
  }
}
