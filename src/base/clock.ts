import { openSync, readFileSync, readSync } from "node:fs";
import { createBootTime } from "./boot-time.ts";
import { createFineBootTime } from "./fine-boot-time.ts";

/** Stops a timer; calling it again, or after it fired, does nothing. */
export type CancelTimer = () => void;

/** Time as an argument: real in the daemon, stepped by hand in tests. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. It may jump: use it for schedules and for people only. */
  now(): number;
  /** Milliseconds since boot, counting suspend, never going back. Use it for every duration. */
  monotonic(): number;
  /** Which boot `monotonic` counts from: another life can compare its own with it. undefined: nobody else can. */
  readonly bootId?: string | undefined;
  /** Calls `run` once after `ms` milliseconds (any length: also beyond setTimeout's 24.8 days). */
  setTimer(ms: number, run: () => void): CancelTimer;
}

/** setTimeout counts in a signed 32-bit integer and fires at once above it. */
const longestTimeout = 2 ** 31 - 1;

function setSystemTimer(ms: number, run: () => void): CancelTimer {
  let remaining = Math.max(0, ms);
  let timer: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(remaining, longestTimeout);
    remaining -= step;
    timer = setTimeout(() => (remaining > 0 ? arm() : run()), step);
  };
  arm();
  return () => clearTimeout(timer);
}

/** Kept open: to open it takes longer than to read it. */
const uptimeFile = openSync("/proc/uptime", "r");

/**
 * /proc/uptime counts the time a laptop slept (CLOCK_BOOTTIME), which Node's own monotonic clocks do
 * not: a lease that ended during suspend has to be seen as ended.
 */
function readUptime(): number {
  const text = Buffer.allocUnsafe(64);
  const length = readSync(uptimeFile, text, 0, text.length, 0);
  return Number.parseFloat(text.toString("latin1", 0, length)) * 1000;
}

/** For records that are compared with those of other processes. */
export function fineSystemTime(): () => number {
  return createFineBootTime({ uptime: readUptime, steady: () => performance.now() });
}

function readBootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    // Some containers hide it.
    return undefined;
  }
}

let bootId: string | undefined;

export const systemClock: Clock = {
  get bootId() {
    return (bootId ??= readBootId());
  },
  now: () => Date.now(),
  monotonic: createBootTime({ uptime: readUptime, steady: () => performance.now(), wall: () => Date.now() }),
  setTimer: setSystemTimer,
};
