import type { PathChange, StoredChange, SyncScope } from "../model/changes.ts";

type Kind = StoredChange["kind"];

interface Pending {
  readonly kind: Kind;
  readonly since: number;
  readonly sequence: number;
}

/** Wall-clock time of a change and its place among all. */
interface When {
  readonly at: number;
  readonly sequence: number;
}

/** What one destination lacks. Pure bookkeeping. */
export class DestinationChanges {
  readonly #paths = new Map<string, Pending>();
  #everything: { readonly reason: string; readonly since: number; readonly sequence: number } | null = null;

  get size(): number {
    return this.#paths.size;
  }

  get everything(): { reason: string; since: number } | null {
    return this.#everything === null ? null : { reason: this.#everything.reason, since: this.#everything.since };
  }

  /** The same path again keeps the time of its first change. */
  add({ path, kind }: { path: string; kind: Kind }, { at, sequence }: When): StoredChange {
    const before = this.#paths.get(path);
    const pending = { kind: mergeKinds(before?.kind, kind), since: before?.since ?? at, sequence };
    this.#paths.set(path, pending);
    return { path, kind: pending.kind, since: pending.since };
  }

  addEverything(reason: string, { at, sequence }: When): void {
    const since = this.#everything?.since ?? at;
    this.#everything = { reason: this.#everything?.reason ?? reason, since, sequence };
  }

  /**
   * Keeps what waits within bounds: above so many paths only deletions are still known, as a complete sync may not be
   * allowed to find them, and not even they when they are too many themselves. Returns why, if it has come to that.
   */
  giveUpAbove(most: number, { sequence }: When): string | null {
    if (this.#paths.size <= most) return null;
    const oldestAt = this.summary()?.oldestAt ?? 0;
    for (const [path, { kind }] of this.#paths) {
      if (kind !== "deleted" && kind !== "replaced") this.#paths.delete(path);
    }
    const deletionsLost = this.#paths.size > most;
    if (deletionsLost) this.#paths.clear();
    const reason = `more than ${most} paths wait (full_sync_threshold)`;
    this.addEverything(reason, { at: oldestAt, sequence });
    return deletionsLost ? `${reason}; deletions among them are not known any more` : reason;
  }

  /** What a sync has to carry; null: nothing. */
  scope(): SyncScope | null {
    if (this.#everything !== null) return this.fullScope(this.#everything.reason);
    if (this.#paths.size === 0) return null;
    return { kind: "paths", changes: [...this.#paths].flatMap(([path, { kind }]) => changesOf(path, kind)) };
  }

  /** A complete sync carries all but deletions, which it may not be allowed to find. */
  fullScope(reason: string): SyncScope {
    const deleted = [...this.#paths].flatMap(([path, { kind }]) =>
      kind === "deleted" || kind === "replaced" ? path : [],
    );
    const replaced = [...this.#paths].flatMap(([path, { kind }]) => (kind === "replaced" ? path : []));
    return { kind: "full", reason, deleted, ...(replaced.length > 0 && { replaced }) };
  }

  stored(): StoredChange[] {
    return [...this.#paths].map(([path, { kind, since }]) => ({ path, kind, since }));
  }

  /** Drops what was carried and has not changed since (`only`: of these paths); returns the paths. */
  settle(upTo: number, only: ReadonlySet<string> | undefined): string[] {
    const gone = [...this.#paths].flatMap(([path, { sequence }]) =>
      sequence <= upTo && (only === undefined || only.has(path)) ? path : [],
    );
    for (const path of gone) this.#paths.delete(path);
    return gone;
  }

  /** As `settle`, for the need of a complete sync; false when there is none, or a newer one. */
  settleEverything(upTo: number): boolean {
    if (this.#everything === null || this.#everything.sequence > upTo) return false;
    this.#everything = null;
    return true;
  }

  summary(): { files: number | null; oldestAt: number } | null {
    const times = [...this.#paths.values()].map(({ since }) => since);
    if (this.#everything !== null) times.push(this.#everything.since);
    if (times.length === 0) return null;
    const oldestAt = times.reduce((oldest, time) => Math.min(oldest, time));
    return { files: this.#everything === null ? this.#paths.size : null, oldestAt };
  }
}

/**
 * What a path is after another change of it. The last word counts, because a sync looks at what is there when it
 * runs; but a directory whose content may be new stays one when something in it changes, and what has come in the
 * place of something deleted is remembered as such: if it is a directory by the time it is carried, a target may still
 * have what the old one held.
 */
function mergeKinds(earlier: Kind | undefined, later: Kind): Kind {
  if (later === "changed" && earlier === "tree") return earlier;
  if (later !== "deleted" && (earlier === "deleted" || earlier === "replaced")) return "replaced";
  return later;
}

function changesOf(path: string, kind: Kind): PathChange[] {
  if (kind !== "replaced") return [{ path, kind }];
  return [
    { path, kind: "deleted" },
    { path, kind: "tree" },
  ];
}
