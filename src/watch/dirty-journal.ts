import type { Clock } from "../base/clock.ts";
import type { ChangeDestination, ChangeSet, DirtyStore, PathChange, PendingSummary } from "../model/changes.ts";
import type { StoredDestination, SyncScope } from "../model/changes.ts";
import { DestinationChanges } from "./destination-changes.ts";

/** A destination as the configuration has it. */
export interface JournalEntry {
  readonly of: ChangeDestination;
  /** Changes when the sync leads from or to somewhere else: what was sent before says nothing then. Has no full stop. */
  readonly fingerprint: string;
  /** Changes when other files are watched: what was not watched before may have changed unseen. */
  readonly watched: string;
  /** Whether a complete sync comes first in any case. */
  readonly onStart: "full" | "none";
  /** More paths than this do not wait for it one by one: a complete sync takes their place. */
  readonly mostPaths: number;
}

/** What one sync carries; it is handed back when the sync has succeeded. */
export interface JournalSnapshot {
  readonly scope: SyncScope;
  readonly upTo: number;
}

interface Destination extends JournalEntry {
  readonly pending: DestinationChanges;
}

/**
 * What has changed and has not yet arrived, for each destination by itself. It survives restarts; after an end
 * without `close`, when changes may have been seen that were not written down, everything counts as changed.
 */
export class DirtyJournal {
  readonly #store: DirtyStore;
  readonly #clock: Clock;
  readonly #destinations = new Map<string, Destination>();
  #sequence = 0;

  constructor(deps: { store: DirtyStore; clock: Clock }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  /** Takes up what an earlier life left for these destinations, and forgets all others. */
  open(entries: readonly JournalEntry[]): void {
    const stored = this.#store.load();
    const left = new Map(stored?.map((destination) => [keyOf(destination), destination]));
    for (const entry of entries) {
      const key = keyOf(entry.of);
      const before = left.get(key);
      left.delete(key);
      const pending = new DestinationChanges();
      this.#destinations.set(key, { ...entry, pending });
      const isElsewhere = before !== undefined && syncPartOf(before) !== entry.fingerprint;
      // What is to be deleted at one place says nothing of another, as when it is adopted.
      for (const change of (isElsewhere ? undefined : before?.paths) ?? [])
        pending.add(change, { at: change.since, sequence: 0 });
      const reason = whyEverything(entry, { readable: stored !== undefined, before });
      const everything = before?.everything ?? null;
      if (everything !== null) pending.addEverything(everything.reason, { at: everything.since, sequence: 0 });
      else if (reason !== undefined) pending.addEverything(reason, { at: this.#clock.now(), sequence: 0 });
      if (isElsewhere) this.#rewrite(entry.of);
      else this.#put(entry.of, false);
    }
    for (const destination of left.values()) this.#store.forget(destination);
  }

  /**
   * These destinations are new, lead elsewhere, or are watched in another way than before: each needs a complete
   * sync, for the reason given.
   */
  adopt(entries: readonly JournalEntry[], reason: string): void {
    this.#sequence += 1;
    for (const entry of entries) {
      const key = keyOf(entry.of);
      const before = this.#destinations.get(key);
      const pending = before?.fingerprint === entry.fingerprint ? before.pending : new DestinationChanges();
      pending.addEverything(reason, { at: this.#clock.now(), sequence: this.#sequence });
      this.#destinations.set(key, { ...entry, pending });
      this.#rewrite(entry.of);
    }
  }

  /** A destination has left the configuration. */
  drop(of: ChangeDestination): void {
    this.#destinations.delete(keyOf(of));
    this.#store.forget(of);
  }

  /** Returns why paths are not known one by one any more, if it has come to that. */
  add(of: ChangeDestination, changes: ChangeSet): string | null {
    const { pending } = this.#destinationOf(of);
    this.#sequence += 1;
    const when = { at: this.#clock.now(), sequence: this.#sequence };
    if (changes.kind === "everything") {
      pending.addEverything(changes.reason, when);
      this.#put(of, false);
      return null;
    }
    return this.#addPaths(of, changes.changes, when);
  }

  /** What kind of sync the destination needs; null: none. */
  need(of: ChangeDestination): SyncScope["kind"] | null {
    const { pending } = this.#destinationOf(of);
    if (pending.everything !== null) return "full";
    return pending.size > 0 ? "paths" : null;
  }

  /** What is pending; null when the destination has it all. */
  snapshot(of: ChangeDestination): JournalSnapshot | null {
    const scope = this.#destinationOf(of).pending.scope();
    return scope === null ? null : { scope, upTo: this.#sequence };
  }

  /** As `snapshot`, for a sync that is complete whatever is pending. */
  fullSnapshot(of: ChangeDestination, reason: string): JournalSnapshot {
    return { scope: this.#destinationOf(of).pending.fullScope(reason), upTo: this.#sequence };
  }

  /** A sync has carried the snapshot: what has not changed since is pending no longer. */
  arrived(of: ChangeDestination, { scope, upTo }: JournalSnapshot): void {
    const { pending } = this.#destinationOf(of);
    const only = scope.kind === "paths" ? new Set(scope.changes.map(({ path }) => path)) : undefined;
    const gone = pending.settle(upTo, only);
    const whole = scope.kind === "full" && pending.settleEverything(upTo);
    if (gone.length > 0) this.#store.remove(of, pending.size === 0 ? null : gone);
    if (whole) this.#put(of, false);
  }

  /** Of every destination that something is pending for. */
  summaries(): PendingSummary[] {
    return [...this.#destinations.values()].flatMap(({ of, pending }) => {
      const summary = pending.summary();
      return summary === null ? [] : [{ ...of, ...summary }];
    });
  }

  /**
   * Everything that was seen is written down, once more as a whole: the store may have lost some on the way. That
   * nothing is missing there is said of what can be read back, and not where the end is not `inOrder`: after a bug
   * nobody knows what has been missed.
   */
  close({ inOrder }: { inOrder: boolean } = { inOrder: true }): void {
    for (const { of } of this.#destinations.values()) this.#rewrite(of);
    const kept = new Map(
      (inOrder ? this.#store.load() : undefined)?.map((stored) => [keyOf(stored), stored.paths.length]),
    );
    for (const [key, { of, pending }] of this.#destinations) if (kept.get(key) === pending.size) this.#put(of, true);
    this.#destinations.clear();
  }

  #addPaths(
    of: ChangeDestination,
    changes: readonly PathChange[],
    when: { at: number; sequence: number },
  ): string | null {
    const { pending, mostPaths } = this.#destinationOf(of);
    const stored = changes.map((change) => pending.add(change, when));
    const given = pending.giveUpAbove(mostPaths, when);
    if (given !== null) {
      this.#rewrite(of);
    } else if (stored.length > 0) {
      this.#store.add(of, stored);
    }
    return given;
  }

  #rewrite(of: ChangeDestination): void {
    // In a database that was made anew meanwhile there is no place yet for its paths.
    this.#put(of, false);
    this.#store.remove(of, null);
    this.#store.add(of, this.#destinationOf(of).pending.stored());
  }

  #put(of: ChangeDestination, clean: boolean): void {
    const destination = this.#destinationOf(of);
    const { everything } = destination.pending;
    this.#store.put({ ...of, fingerprint: storedFingerprint(destination), clean, everything });
  }

  #destinationOf(of: ChangeDestination): Destination {
    const destination = this.#destinations.get(keyOf(of));
    if (destination === undefined) throw new Error(`no journal for ${keyOf(of)}`);
    return destination;
  }
}

export function keyOf({ jobId, actionId, targetId }: ChangeDestination): string {
  return JSON.stringify([jobId, actionId, targetId]);
}

/** What is stored tells both; an earlier version stored the sync's alone. */
function storedFingerprint({ fingerprint, watched }: JournalEntry): string {
  return `${fingerprint}.${watched}`;
}

function syncPartOf({ fingerprint }: StoredDestination): string | undefined {
  return fingerprint.split(".")[0];
}

function whyEverything(
  entry: JournalEntry,
  { readable, before }: { readable: boolean; before: StoredDestination | undefined },
): string | undefined {
  if (!readable) return "the journal of changes cannot be read";
  if (before === undefined) return "nothing was sent there yet";
  if (syncPartOf(before) !== entry.fingerprint) return "the sync or its target has changed";
  if (!before.clean) return "the director had ended unexpectedly";
  if (before.fingerprint !== storedFingerprint(entry)) return "what is watched has changed";
  return entry.onStart === "full" ? "the director has started" : undefined;
}
