import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import { describeError } from "../base/errors.ts";
import { byteStringOf, type ByteString } from "./byte-string.ts";
import { settlesSoon } from "./run-limited.ts";
import type { TreeWatcher, TreeWatcherOptions } from "./tree-watcher-contract.ts";
import { createTreeWatcher } from "./tree-watcher.ts";
import type { WatchFilter } from "./watch-filter.ts";
import type { TreeWatchState } from "./watch-state.ts";

type Kind = "directory" | "file";

interface Watching {
  readonly kind: Kind;
  readonly watcher: TreeWatcher;
}

/**
 * Watches what a source names: a directory with all below it, or one file. Of a file the directory around it is
 * watched, and nothing else in it: a file that is saved by renaming is another one each time. What is not there yet is
 * awaited as a directory is; when something of the other kind is at the path the watch is exchanged.
 */
export function createPathWatcher(options: TreeWatcherOptions): TreeWatcher {
  return new PathWatcher(options);
}

class PathWatcher implements TreeWatcher {
  readonly #options: TreeWatcherOptions;
  #current: Watching;
  /** The one that is to take its place, and does not stand yet. */
  #next: Watching | null = null;
  /** Something was heard by which the path may be of the other kind. */
  #lookDue = true;
  #isStarted = false;
  #following: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: TreeWatcherOptions) {
    this.#options = options;
    this.#current = this.#open(isFile(options.root) ? "file" : "directory");
  }

  async start(): Promise<void> {
    await this.#current.watcher.start();
    this.#isStarted = true;
    this.#look();
    await this.#following;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  state(): TreeWatchState {
    const state = this.#current.watcher.state();
    return { ...state, settling: state.settling || this.#following !== null };
  }

  async #close(): Promise<void> {
    const open = [this.#current, ...(this.#next === null ? [] : [this.#next])];
    await Promise.all(open.map(({ watcher }) => watcher.close()));
    // What came last may not have been heard of, or its watch did not stand yet. A disk that hangs holds nobody up.
    const { root, clock } = this.#options;
    let isKnown = false;
    let kind: Kind | undefined;
    const look = async () => {
      await this.#following;
      kind = await this.#otherKind();
      isKnown = true;
    };
    await settlesSoon(look(), clock);
    if (!isKnown) this.#everything(`the watch was ended before it was known what is at ${root}`);
    else if (kind !== undefined) this.#everything(`the watch was ended before the ${kind} at ${root} was watched`);
  }

  #open(kind: Kind): Watching {
    const { root, filter, onChanges, onEverything, onState } = this.#options;
    const look = () => this.#look();
    const shared = {
      ...this.#options,
      onState: (state: TreeWatchState) => {
        if (this.#current === watching) onState(state);
      },
    };
    const watcher =
      kind === "directory"
        ? createTreeWatcher({ ...shared, onNoDirectory: look })
        : createTreeWatcher({
            ...shared,
            root: posix.dirname(root),
            filter: only(byteStringOf(posix.basename(root)), filter),
            onChanges: (changes) => {
              // Of the directory around it its own attributes are told.
              const own = changes.filter(({ path }) => liesAt(root, path));
              if (own.length > 0) onChanges(own);
              if (own.some(({ path }) => path === root)) look();
            },
            onEverything: (reason) => {
              onEverything(reason);
              look();
            },
          });
    const watching: Watching = { kind, watcher };
    return watching;
  }

  #look(): void {
    this.#lookDue = true;
    // What is heard while it starts is looked at when it stands.
    if (!this.#isStarted || this.#following !== null || this.#closed !== null) return;
    this.#following = this.#follow()
      .catch((error: unknown) => this.#everything(`what is at the path cannot be watched: ${describeError(error)}`))
      .finally(() => {
        this.#following = null;
      });
  }

  async #follow(): Promise<void> {
    while (this.#lookDue && this.#closed === null) {
      this.#lookDue = false;
      const kind = await this.#otherKind();
      if (this.#closed !== null) return;
      if (kind === undefined) continue;
      // It may become another once more before the new watch stands, which then does not hear of it.
      this.#lookDue = true;
      await this.#exchange(kind);
    }
  }

  /** Everything is said to have changed when the new watch stands, and only then is the old one given up. */
  async #exchange(kind: Kind): Promise<void> {
    const before = this.#current;
    const next = this.#open(kind);
    this.#next = next;
    await next.watcher.start();
    this.#next = null;
    // Then it was closed as well.
    if (this.#closed !== null) return;
    this.#current = next;
    this.#everything(`a ${kind} is at ${this.#options.root} now`);
    this.#options.onState(this.state());
    await before.watcher.close();
  }

  /** What is at the path, if that is not what is watched; nothing there is no other kind. */
  async #otherKind(): Promise<Kind | undefined> {
    try {
      const found: Kind = (await stat(this.#options.root)).isDirectory() ? "directory" : "file";
      return found === this.#current.kind ? undefined : found;
    } catch {
      // The watcher itself finds out what is wrong there, and says so.
      return undefined;
    }
  }

  #everything(reason: string): void {
    const { root, log, onEverything } = this.#options;
    log.info({ root, reason }, "everything may have changed");
    onEverything(reason);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    // As above.
    return false;
  }
}

/**
 * A slash at the beginning of a pattern stands for the directory around the file. A directory that takes its place is
 * let through in any case, to be heard of.
 */
function only(name: ByteString, filter: WatchFilter): WatchFilter {
  return {
    passesDirectory: (path) => path === name || (liesAt(name, path) && filter.passesDirectory(path)),
    passesFile: (path) => liesAt(name, path) && filter.passesFile(path),
  };
}

function liesAt(top: string, path: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}
