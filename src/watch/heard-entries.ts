import type { EntryName } from "./disk-path.ts";
import { type Hearsay, stronger } from "./settle-entries.ts";
import { itself, type WatchedDirectory } from "./watched-directory.ts";

/** What was heard and has not been looked at, once per entry. */
export class HeardEntries {
  #byDirectory = new Map<WatchedDirectory, Map<EntryName, Hearsay>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(directory: WatchedDirectory, name: EntryName, hearsay: Hearsay): void {
    let entries = this.#byDirectory.get(directory);
    if (entries === undefined) this.#byDirectory.set(directory, (entries = new Map()));
    const known = entries.get(name);
    if (known === undefined) this.#size += 1;
    entries.set(name, stronger(known, hearsay));
  }

  /** Whether a directory or one above it may have been moved, as far as it has not been taken. */
  hasMoved(directory: WatchedDirectory | null): boolean {
    if (directory === null) return false;
    return this.#byDirectory.get(directory)?.has(itself) === true || this.hasMoved(directory.parent);
  }

  /** Hands all of it over, in the order in which the directories were heard of. */
  take(): ReadonlyMap<WatchedDirectory, ReadonlyMap<EntryName, Hearsay>> {
    const taken = this.#byDirectory;
    this.#byDirectory = new Map();
    this.#size = 0;
    return taken;
  }
}
