import type { ChangeSet } from "../model/changes.ts";
import { PendingChanges } from "./pending-changes.ts";

export interface BatcherOptions {
  /** Quiet time (ms) after the last change. */
  readonly debounceMs: number;
  /** A batch is due at the latest so long (ms) after its first change. */
  readonly maxDelayMs: number;
  /** A batch is due at once when it has so many paths. */
  readonly maxBatch: number;
  /** More paths than this are not listed: `everything` takes their place. */
  readonly fullSyncThreshold: number;
}

/** Gathers changes until they are worth a sync. It has no timers: whoever owns it comes back at `nextDue`. */
export interface Batcher {
  /** `now` in milliseconds of a clock that does not go back, here and below. */
  add(changes: ChangeSet, now: number): void;
  /** When the next batch is due, which may be past; null: there is nothing. */
  nextDue(): number | null;
  /**
   * The batch that is due, or null. Ask until it is null: after `everything` the deletions follow in a batch of
   * their own, as a complete sync that does not delete does not carry them.
   */
  take(now: number): ChangeSet | null;
  /** Paths that wait, as far as they are listed. */
  waiting(): number;
}

export function createBatcher({ debounceMs, maxDelayMs, maxBatch, fullSyncThreshold }: BatcherOptions): Batcher {
  const pending = new PendingChanges();
  let everything: string | null = null;
  let deletionsLost = false;
  let firstAt: number | null = null;
  let lastAt = 0;
  let compactAbove = fullSyncThreshold;

  const giveUpListing = (reason: string): void => {
    everything ??= reason;
    pending.keepDeletions();
    if (pending.size > fullSyncThreshold) pending.compact();
    if (pending.size <= fullSyncThreshold) return;
    pending.clear();
    deletionsLost = true;
  };

  /** Compacting looks at every path: it is done once in many changes, so that memory stays bounded nevertheless. */
  const limitSize = (): void => {
    pending.compact();
    if (pending.size > fullSyncThreshold)
      giveUpListing(`more than ${fullSyncThreshold} paths changed (full_sync_threshold)`);
    compactAbove = Math.max(fullSyncThreshold, pending.size + Math.ceil(fullSyncThreshold / 2));
  };

  const startAnew = (): void => {
    firstAt = null;
    compactAbove = fullSyncThreshold;
  };

  const nextDue = (): number | null => {
    if (firstAt === null) return null;
    if (everything === null && pending.size >= maxBatch) return lastAt;
    return Math.min(lastAt + debounceMs, firstAt + maxDelayMs);
  };

  return {
    add(changes, now) {
      if (changes.kind === "paths" && changes.changes.length === 0) return;
      firstAt ??= now;
      lastAt = now;
      if (changes.kind === "everything") return giveUpListing(changes.reason);
      for (const change of changes.changes) {
        pending.add(change);
        if (pending.size > compactAbove) limitSize();
      }
      if (everything !== null) giveUpListing(everything);
    },
    nextDue,
    take(now) {
      const due = nextDue();
      if (due === null || due > now) return null;
      if (everything === null) limitSize();
      if (everything !== null) {
        const reason = deletionsLost ? `${everything}; deletions among them are not known any more` : everything;
        everything = null;
        deletionsLost = false;
        if (pending.size === 0) startAnew();
        return { kind: "everything", reason };
      }
      const changes = pending.list();
      pending.clear();
      startAnew();
      return { kind: "paths", changes };
    },
    waiting: () => pending.size,
  };
}
