import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import type { Logger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { createNotifyQueue } from "./notify-queue.ts";
import { followStatus } from "./service-status.ts";

/** What the service manager that has started this process is told. Without one, nothing happens. */
export interface ServiceManager {
  /** Begins to keep the line of `systemctl status`; returns what ends that. */
  follow(events: Emitter<DirectorEvents>): () => void;
  /** Everything has been started: the unit counts as active from now on. */
  ready(): void;
  /** The stop has begun; more time for it is asked for while the process is seen to work on it. */
  stopping(): void;
  /** Resolves when the last message was sent. */
  close(): Promise<void>;
}

interface ServiceManagerDeps {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  runTool: RunTool;
  clock: Clock;
  log: Logger;
}

/** A message costs a process: what happens more often is told together. */
const statusEveryMs = 5000;
const settleMs = 200;
const extendEveryMs = 10_000;
const extendByMs = 30_000;
/** Stopping rsync, seeing that no writer is left and freeing the locks all have bounds far below this. */
const longestStopMs = 300_000;

const noServiceManager: ServiceManager = {
  follow: () => () => undefined,
  ready: () => undefined,
  stopping: () => undefined,
  close: () => Promise.resolve(),
};

/**
 * Speaks sd_notify(3) to systemd when `NOTIFY_SOCKET` is there. The signs of life for `WatchdogSec=` come from the
 * event loop that also beats for the locks: a process that hangs or was stopped gives none, and is killed
 * with all that it started before others may break its locks.
 */
export function connectServiceManager(deps: ServiceManagerDeps): ServiceManager {
  const { env, pid, clock } = deps;
  const socket = env["NOTIFY_SOCKET"];
  if (socket === undefined || socket === "") return noServiceManager;
  const queue = createNotifyQueue({ ...deps, socket });
  const watchdogMs = watchdogInterval(env, pid);
  const timers = new Set<CancelTimer>();
  let isReady = false;
  let isStopping = false;

  const repeat = (everyMs: number, run: () => boolean): void => {
    const cancel = clock.setTimer(everyMs, () => {
      timers.delete(cancel);
      if (run()) repeat(everyMs, run);
    });
    timers.add(cancel);
  };
  const beat = (): boolean => {
    queue.send({ WATCHDOG: "1" });
    return true;
  };
  const limit = createLimit(clock, (text) => queue.send({ STATUS: text }));
  let statusText = () => "";

  return {
    follow: (events) => {
      const status = followStatus(events, (text) => {
        if (isReady && !isStopping) limit.call(text);
      });
      statusText = () => status.text();
      return () => status.stop();
    },
    ready: () => {
      isReady = true;
      queue.send({ READY: "1", STATUS: statusText() });
      if (watchdogMs !== undefined) repeat(watchdogMs / 2, beat);
    },
    stopping: () => {
      isStopping = true;
      limit.stop();
      queue.send({ STOPPING: "1", STATUS: "stopping: ending what runs, then freeing the locks" });
      const since = clock.monotonic();
      repeat(extendEveryMs, () => {
        queue.send({ EXTEND_TIMEOUT_USEC: String(extendByMs * 1000) });
        return clock.monotonic() - since < longestStopMs;
      });
    },
    close: async () => {
      limit.stop();
      for (const cancel of timers) cancel();
      await queue.close();
    },
  };
}

/** Milliseconds within which systemd wants a sign of life; see sd_watchdog_enabled(3). */
function watchdogInterval(env: ServiceManagerDeps["env"], pid: number): number | undefined {
  const microseconds = Number(env["WATCHDOG_USEC"]);
  const isForUs = env["WATCHDOG_PID"] === undefined || Number(env["WATCHDOG_PID"]) === pid;
  return isForUs && Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : undefined;
}

/** What comes in one go, or too soon after the last time, is told together: only the last of it. */
function createLimit(clock: Clock, run: (text: string) => void): { call(text: string): void; stop(): void } {
  let latest: string | undefined;
  let cancel: CancelTimer | undefined;
  const arm = (ms: number): void => {
    cancel = clock.setTimer(ms, () => {
      cancel = undefined;
      if (latest === undefined) return;
      run(latest);
      latest = undefined;
      arm(statusEveryMs);
    });
  };
  return {
    call: (text) => {
      latest = text;
      if (cancel === undefined) arm(settleMs);
    },
    stop: () => {
      cancel?.();
      latest = undefined;
    },
  };
}
