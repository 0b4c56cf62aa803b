import { readFileSync } from "node:fs";

/**
 * What all watchers of this process take of the kernel's inotify: Node has one queue of events for all of them.
 *
 * Node drops the kernel's message that the queue overflowed (libuv reads IN_Q_OVERFLOW and finds no watch for it). But
 * before anything is lost the queue has to be full, and Node empties it in one go: whenever fewer events come in one
 * turn of the event loop than the queue holds, nothing was lost. As events of watches that were closed meanwhile are
 * not counted, three quarters of a queue count as full; to be wrong costs one complete sync.
 */
export interface InotifyLedger {
  /** Watches that may still be added, with some left for other programs; asks the kernel's limits again. */
  room(): number;
  /** The limit of watches, as `room` saw it. */
  limit(): number;
  opened(): void;
  closed(): void;
  /** An event has come. */
  delivered(): void;
  /** Calls `listener` when the queue may have overflowed, until the returned function is called. */
  onOverflow(listener: () => void): () => void;
  /** So many watches may be closed in one turn: the kernel sends an event for each, too. */
  readonly closesPerTurn: number;
}

export interface InotifyLimits {
  /** Watches of this user; undefined where it cannot be read. */
  maxWatches(): number | undefined;
  maxQueuedEvents(): number | undefined;
}

/** The kernel's defaults, for a system without /proc. */
const usual = { watches: 8192, queue: 16_384 };

export const systemInotifyLimits: InotifyLimits = {
  // The second one is that of a user namespace, where both count.
  maxWatches: () =>
    smaller(readNumber("/proc/sys/fs/inotify/max_user_watches"), readNumber("/proc/sys/user/max_inotify_watches")),
  maxQueuedEvents: () => readNumber("/proc/sys/fs/inotify/max_queued_events"),
};

export function createInotifyLedger(limits: InotifyLimits = systemInotifyLimits): InotifyLedger {
  const queue = limits.maxQueuedEvents() ?? usual.queue;
  const full = Math.max(1, Math.floor(queue * 0.75));
  const listeners = new Set<() => void>();
  let limit = 0;
  let held = 0;
  let inThisTurn = 0;

  return {
    room() {
      limit = limits.maxWatches() ?? usual.watches;
      return limit - Math.min(1024, Math.ceil(limit / 20)) - held;
    },
    limit: () => limit,
    opened: () => void (held += 1),
    closed: () => void (held -= 1),
    delivered() {
      if (inThisTurn === 0) setImmediate(() => (inThisTurn = 0));
      inThisTurn += 1;
      if (inThisTurn === full) for (const listener of listeners) listener();
    },
    onOverflow(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    closesPerTurn: Math.max(1, Math.min(1000, Math.floor(queue / 8))),
  };
}

function readNumber(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, "latin1"));
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
