import type { ChangeDestination, DirtyStore, StoredChange, StoredDestination } from "../../src/model/changes.ts";

interface Row extends Omit<StoredDestination, "paths"> {
  readonly paths: Map<string, StoredChange>;
}

/** A journal's store that outlives the journals which are opened on it. */
export class MemoryDirtyStore implements DirtyStore {
  readonly #rows = new Map<string, Row>();
  /** Whether it can be read. */
  works = true;

  load(): StoredDestination[] | undefined {
    if (!this.works) return undefined;
    return [...this.#rows.values()].map((row) => ({ ...row, paths: [...row.paths.values()] }));
  }

  put(destination: Omit<StoredDestination, "paths">): void {
    const paths = this.#rows.get(keyOf(destination))?.paths ?? new Map<string, StoredChange>();
    this.#rows.set(keyOf(destination), { ...destination, paths });
  }

  add(of: ChangeDestination, changes: readonly StoredChange[]): void {
    for (const change of changes) this.#rows.get(keyOf(of))?.paths.set(change.path, change);
  }

  remove(of: ChangeDestination, paths: readonly string[] | null): void {
    const row = this.#rows.get(keyOf(of));
    if (paths === null) row?.paths.clear();
    for (const path of paths ?? []) row?.paths.delete(path);
  }

  forget(of: ChangeDestination): void {
    this.#rows.delete(keyOf(of));
  }
}

function keyOf({ jobId, actionId, targetId }: ChangeDestination): string {
  return [jobId, actionId, targetId].join(" ");
}
