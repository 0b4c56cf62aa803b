import type { Clock } from "../base/clock.ts";

export interface StallWatch {
  /** To be called for every piece of output; costs nothing. */
  sawOutput(): void;
  stop(): void;
}

/** Keep-alives of rsync and its protocol move a few bytes per minute and must not hide a hang. */
const leastGrowth = 64 * 1024;

/**
 * Calls `onStall` once when a process has neither written output nor moved bytes for `timeoutMs`.
 * It looks only when a whole `timeoutMs` has passed since its last look, so a stall is noticed after
 * between one and two times that. Bytes that cannot be read count as moving: a healthy transfer must
 * not be stopped for want of permission.
 */
export function watchForStall(options: {
  timeoutMs: number;
  clock: Clock;
  bytesMoved: () => ReadonlyMap<number, number> | undefined;
  onStall: () => void;
}): StallWatch {
  const { timeoutMs, clock, bytesMoved, onStall } = options;
  let hadOutput = false;
  let before: ReadonlyMap<number, number> = new Map();
  const look = () => {
    const now = bytesMoved();
    const isMoving = now === undefined || growth(before, now) >= leastGrowth;
    before = now ?? before;
    if (!hadOutput && !isMoving) return onStall();
    hadOutput = false;
    cancelTimer = clock.setTimer(timeoutMs, look);
  };
  let cancelTimer = clock.setTimer(timeoutMs, look);
  return {
    sawOutput: () => {
      hadOutput = true;
    },
    stop: () => cancelTimer(),
  };
}

/** A process that was not there at the last look brings all its bytes; one that ended takes none away. */
function growth(before: ReadonlyMap<number, number>, now: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const [pid, bytes] of now) total += Math.max(0, bytes - (before.get(pid) ?? 0));
  return total;
}
