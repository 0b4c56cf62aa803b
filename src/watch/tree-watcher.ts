import type { CancelTimer } from "../base/clock.ts";
import { nextTurn } from "../base/next-turn.ts";
import type { AdoptContext } from "./adopt-tree.ts";
import { HeardEntries } from "./heard-entries.ts";
import { PendingChanges } from "./pending-changes.ts";
import { createRootSentry, type RootSentry } from "./root-sentry.ts";
import { settlesSoon } from "./run-limited.ts";
import { settleEntries } from "./settle-entries.ts";
import { describeDegradation, type TreeWatchState } from "./watch-state.ts";
import type { TreeWatcher, TreeWatcherOptions } from "./tree-watcher-contract.ts";
import { WatchedRoot } from "./watched-root.ts";
import { currentOf, itself, type WatchedDirectory } from "./watched-directory.ts";

/** So many entries may wait to be looked at; more of them are not listed. */
const mostHeard = 200_000;

/** A root that cannot be watched is looked for so often (ms). */
const missingRootMs = 2000;

/** What has to be watched anew again and again is, so long (ms) after the last time. */
const rebuildPauseMs = 1000;

/**
 * Watches a directory and all below it, with one inotify watch per directory. What it hears of it looks at before it
 * reports anything, one thing after the other.
 */
export function createTreeWatcher(options: TreeWatcherOptions): TreeWatcher {
  return new InotifyTreeWatcher(options);
}

class InotifyTreeWatcher implements TreeWatcher {
  readonly #options: TreeWatcherOptions;
  readonly #rescanMs: number;
  readonly #scanMs: number;
  readonly #context: AdoptContext;
  readonly #root: WatchedRoot;
  readonly #sentry: RootSentry;
  readonly #heard = new HeardEntries();
  #rebuildFor: string | null = null;
  #rebuiltAt = Number.NEGATIVE_INFINITY;
  #checkDue = false;
  #scannedAt = 0;
  #working: Promise<void> | null = null;
  #closing = false;
  #isRebuilding = false;
  /** So often it still looks at what it has heard: without end, until it is to be closed. */
  #roundsLeft = Number.POSITIVE_INFINITY;
  #cancelCheck: CancelTimer = () => undefined;
  #cancelPause: CancelTimer = () => undefined;
  #ignoreOverflow: () => void = () => undefined;
  #directories = 0;
  #published = "";

  constructor(options: TreeWatcherOptions) {
    const { root, filter, ledger } = options;
    this.#options = options;
    this.#rescanMs = options.rescanMs ?? 30_000;
    this.#scanMs = options.scanMs ?? 300_000;
    this.#context = {
      filter,
      ledger: {
        ...ledger,
        opened: () => {
          this.#directories += 1;
          ledger.opened();
        },
        closed: () => {
          this.#directories -= 1;
          ledger.closed();
        },
      },
      isClosing: () => this.#closing,
      listen: (directory, name, event) => {
        const isSettled = directory.children.get(name)?.trust === "settled";
        this.#heard.add(directory, name, event === "changed" || isSettled ? event : "doubtful");
        this.#wake();
      },
    };
    this.#root = new WatchedRoot(root, this.#context);
    this.#sentry = createRootSentry({ root, ledger, onSuspicion: () => this.#check() });
  }

  async start(): Promise<void> {
    this.#ignoreOverflow = this.#options.ledger.onOverflow(() =>
      this.#rebuild("the queue of events may have overflowed"),
    );
    this.#scannedAt = this.#options.clock.monotonic();
    this.#workOn(async () => void (await this.#rootIsRebuilt()));
    await this.#working;
    this.#wake();
  }

  /**
   * What had happened before is reported first; one turn may have heard of nothing yet. Where that would take long,
   * because of a storm, a large tree or a disk that hangs, everything is reported instead.
   */
  async close(): Promise<void> {
    await nextTurn();
    await nextTurn();
    if (this.#closing) return;
    this.#roundsLeft = 10;
    if (!this.#isRebuilding) await settlesSoon(this.#working, this.#options.clock);
    const isDone = this.#working === null && this.#rebuildFor === null;
    this.#closing = true;
    this.#cancelCheck();
    this.#cancelPause();
    this.#ignoreOverflow();
    this.#sentry.post(false);
    if (!isDone) this.#everything("the watch was ended before all that had happened was looked at");
    await settlesSoon(this.#working, this.#options.clock);
    await this.#root.abandon();
  }

  state(): TreeWatchState {
    const { root, ledger } = this.#options;
    const { problem: rootProblem, unwatched, isWatched: watching } = this.#root;
    const directories = this.#directories;
    return {
      root,
      watching,
      directories,
      unwatched: (unwatched.shortage?.count ?? 0) + unwatched.unreadable.size,
      degraded: describeDegradation({
        ...{ root, rootProblem, unwatched, directories },
        ...{ limit: ledger.limit(), scanMs: this.#scanMs },
      }),
      settling: this.#working !== null,
    };
  }

  /** Begins to work in the next turn: what is heard in one turn is looked at together. */
  #wake(): void {
    if (this.#working === null && !this.#closing && this.#roundsLeft > 0) this.#workOn(() => this.#work());
  }

  #workOn(work: () => Promise<void>): void {
    this.#working = work().finally(() => {
      this.#working = null;
      if (this.#checkDue || this.#heard.size > 0) this.#wake();
    });
  }

  async #work(): Promise<void> {
    for (;;) {
      await nextTurn();
      if (this.#closing || this.#roundsLeft <= 0) return;
      this.#roundsLeft -= 1;
      if (this.#heard.size > mostHeard) {
        this.#heard.take();
        this.#rebuild("more changed at once than can be listed");
      }
      if (this.#rebuildFor !== null && this.#mayRebuild()) await this.#doRebuild(this.#rebuildFor);
      else if (this.#checkDue) await this.#doCheck();
      else if (this.#heard.size > 0) await this.#settleHeard();
      else return;
      this.#publish();
    }
  }

  #rebuild(reason: string): void {
    this.#rebuildFor ??= reason;
    this.#wake();
  }

  #check(): void {
    this.#checkDue = true;
    this.#wake();
  }

  /** An endless storm must not keep it busy with nothing else. */
  #mayRebuild(): boolean {
    const wait = this.#rebuiltAt + rebuildPauseMs - this.#options.clock.monotonic();
    if (wait <= 0) return true;
    this.#cancelPause();
    this.#cancelPause = this.#options.clock.setTimer(wait, () => this.#wake());
    return false;
  }

  async #doRebuild(reason: string): Promise<void> {
    this.#rebuildFor = null;
    const isWatched = await this.#rootIsRebuilt();
    if (this.#closing) return;
    // Said when the watches stand: what changes later is reported.
    if (isWatched || this.#root.unwatched.shortage !== null) this.#everything(reason);
  }

  async #rootIsRebuilt(): Promise<boolean> {
    this.#isRebuilding = true;
    const isWatched = await this.#root.rebuild();
    this.#isRebuilding = false;
    this.#rebuiltAt = this.#options.clock.monotonic();
    this.#publish();
    this.#tend();
    return isWatched;
  }

  async #doCheck(): Promise<void> {
    this.#checkDue = false;
    // Before it looks: what happens afterwards is heard.
    this.#sentry.post(this.#root.needsSentry);
    const found = await this.#root.inspect();
    if (found === "missing") {
      await this.#root.abandon();
      this.#options.onNoDirectory?.();
    } else if (found !== "same") this.#rebuild(found.rebuildFor);
    else this.#retryWhatIsMissing();
    this.#tend();
  }

  #retryWhatIsMissing(): void {
    const { unreadable, shortage } = this.#root.unwatched;
    for (const [path, { directory }] of unreadable) {
      if (directory.parent === null || directory.parent.closed) unreadable.delete(path);
      else this.#heard.add(directory.parent, directory.name, "changed");
    }
    const now = this.#options.clock.monotonic();
    if (shortage === null || now - this.#scannedAt < this.#scanMs) return;
    this.#everything(`${shortage.count} directories below ${this.#root.path} are not watched`);
  }

  /** Sets the next check, and the watch above the root. */
  #tend(): void {
    if (this.#closing) return;
    this.#sentry.post(this.#root.needsSentry);
    this.#cancelCheck();
    const pause = this.#root.isWatched ? this.#rescanMs : Math.min(this.#rescanMs, missingRootMs);
    this.#cancelCheck = this.#options.clock.setTimer(pause, () => this.#check());
  }

  async #settleHeard(): Promise<void> {
    const changes = new PendingChanges();
    let unknown: string | null = null;
    const taken = this.#heard.take();
    const hasHeard = (of: WatchedDirectory) => taken.get(of)?.has(itself) === true;
    const mayBeDead = (of: WatchedDirectory) =>
      hasHeard(of) && of.parent !== null && taken.get(of.parent)?.has(of.name) !== true;
    for (const [heardOf, entries] of taken) {
      const directory = currentOf(heardOf);
      // One that has gone is covered by what is reported of those above it.
      if (directory === null) continue;
      await settleEntries(directory, entries, {
        ...this.#context,
        unwatched: this.#root.unwatched,
        report: (path, kind) => changes.add({ path, kind }),
        cannotTell: (reason) => (unknown ??= reason),
        hear: (above, name, hearsay) => this.#heard.add(above, name, hearsay),
        mayHaveMoved: async (moved) => {
          // What has happened so far is heard by then.
          await nextTurn();
          await nextTurn();
          return this.#heard.hasMoved(moved);
        },
        suspectRoot: () => this.#check(),
        doubtRoot: () => this.#rebuild(`the watch on ${this.#root.path} may have ended`),
        hasHeardOfItself: hasHeard,
        mayBeDead,
        mountsAreTheSame: async () => {
          const same = await this.#root.mountsAreTheSame();
          if (!same) this.#rebuild(this.#root.mountsDiffer());
          return same;
        },
      });
      if (this.#closing) return;
    }
    const list = changes.list();
    if (list.length > 0) this.#options.onChanges(list);
    if (unknown !== null) this.#everything(unknown);
  }

  #everything(reason: string): void {
    this.#scannedAt = this.#options.clock.monotonic();
    this.#options.log.info({ root: this.#root.path, reason }, "everything may have changed");
    this.#options.onEverything(reason);
  }

  #publish(): void {
    // Not the numbers in the message: they change with every directory.
    const { problem, unwatched, isWatched } = this.#root;
    const unreadable = [...unwatched.unreadable.keys()];
    const summary = JSON.stringify([isWatched, problem, unwatched.shortage?.code, unreadable]);
    if (summary === this.#published) return;
    this.#published = summary;
    const { degraded, directories } = this.state();
    const fields = { root: this.#root.path, directories };
    if (degraded === null) this.#options.log.info(fields, "directory is watched");
    else this.#options.log.warn({ ...fields, reason: degraded }, "directory is not watched completely");
    this.#options.onState(this.state());
  }
}
