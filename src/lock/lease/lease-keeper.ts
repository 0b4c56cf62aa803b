import type { CancelTimer } from "../../base/clock.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import type { Lease, LeaseOf } from "./lease.ts";
import { createLease } from "./lease-beats.ts";

/** Keeps all leases of a director alive, with one timer. */
export interface LeaseKeeper {
  open(of: LeaseOf): Lease;
  /** Ends every lease. */
  close(): void;
}

/**
 * Timers stand still while a machine is suspended, so that a long one would fire long after the wake-up.
 * This one fires every second while a lock is held, and sees by the clock how much time has really passed.
 */
export function createLeaseKeeper(deps: LockDeps): LeaseKeeper {
  const { clock, timings } = deps;
  const leases = new Set<Lease>();
  let cancelTimer: CancelTimer | undefined;
  let lastTick = 0;

  const arm = () => {
    if (cancelTimer !== undefined || leases.size === 0) return;
    cancelTimer = clock.setTimer(timings.leaseTickMs, tick);
  };
  const tick = () => {
    cancelTimer = undefined;
    const now = clock.monotonic();
    const sinceLast = now - lastTick;
    lastTick = now;
    for (const lease of leases) lease.tick(sinceLast);
    arm();
  };
  const disarm = () => {
    if (leases.size > 0) return;
    cancelTimer?.();
    cancelTimer = undefined;
  };

  return {
    open: (of) => {
      const lease: Lease = createLease(of, deps, {
        begin: () => {
          if (leases.size === 0) lastTick = clock.monotonic();
          leases.add(lease);
          arm();
        },
        end: () => {
          leases.delete(lease);
          disarm();
        },
      });
      return lease;
    },
    close: () => {
      for (const lease of [...leases]) lease.end();
    },
  };
}
