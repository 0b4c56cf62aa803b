import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { InstanceStatus } from "../../model/status.ts";

type Listener = (status: InstanceStatus) => void;

const shortestMs = 1000;
/** Copies become stale, and pauses end, without any event. */
const longestMs = 15_000;
/** They change nothing in the status. */
const ignored: ReadonlySet<keyof DirectorEvents> = new Set(["action:output", "lock:beat", "run:coalesced"]);

export interface StatusFeed {
  /** As `DirectorControl.onStatus`. */
  listen(listener: Listener): () => void;
  stop(): void;
}

/** Tells the status when it has changed, at most once a second; nothing is computed while nobody listens. */
export function createStatusFeed(deps: {
  events: Emitter<DirectorEvents>;
  status: () => InstanceStatus;
  clock: Clock;
  log: Logger;
}): StatusFeed {
  const { events, status, clock, log } = deps;
  const listeners = new Set<Listener>();
  let told = "";
  let toldAt = 0;
  let isSoon = false;
  let cancelTimer: CancelTimer | undefined;

  const arm = (soon: boolean) => {
    if (listeners.size === 0 || (isSoon && cancelTimer !== undefined)) return;
    cancelTimer?.();
    isSoon = soon;
    const wait = toldAt + (soon ? shortestMs : longestMs) - clock.monotonic();
    cancelTimer = clock.setTimer(Math.max(0, wait), look);
  };
  const look = () => {
    cancelTimer = undefined;
    toldAt = clock.monotonic();
    const now = status();
    const text = textOf(now);
    if (text !== told) for (const listener of listeners) tell(listener, now);
    told = text;
    arm(false);
  };
  const tell = (listener: Listener, now: InstanceStatus) => {
    try {
      listener(now);
    } catch (error) {
      listeners.delete(listener);
      log.error({ error: describeError(error) }, "somebody who follows the status failed");
    }
  };
  const unsubscribe = events.onAny((name) => {
    if (!ignored.has(name)) arm(true);
  });
  const stopTimer = () => {
    cancelTimer?.();
    cancelTimer = undefined;
  };
  return {
    listen: (listener) => {
      if (listeners.size === 0) {
        told = textOf(status());
        toldAt = clock.monotonic();
      }
      listeners.add(listener);
      arm(false);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stopTimer();
      };
    },
    stop: () => {
      unsubscribe();
      listeners.clear();
      stopTimer();
    },
  };
}

/** Without the time at which it was put together. */
function textOf({ at: _at, ...status }: InstanceStatus): string {
  return JSON.stringify(status);
}
