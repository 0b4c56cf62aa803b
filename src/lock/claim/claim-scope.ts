import type { Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import type { Logger } from "../../base/logger.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { LockLease } from "../../config/resolved.ts";
import type { ClaimJournal } from "./claim-journal.ts";
import type { StaleBreaker, Waiter } from "./claim-obstacle.ts";
import type { Lease } from "../lease/lease.ts";
import type { FoundLock } from "../transport/lock-transport.ts";
import type { ProgressOf } from "../lease/lock-status.ts";
import type { LockTimings } from "../lock-timings.ts";
import { describeSight, type Sight } from "../look.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

/** What all jobs' claims share. */
export interface LockDeps {
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly events: Emitter<DirectorEvents>;
  readonly log: Logger;
  readonly timings: LockTimings;
  /** Without one, locks of a process that died have to time out. */
  readonly journal?: ClaimJournal;
  /** What the owner of a lock tells about itself to those who wait. */
  readonly progressOf?: ProgressOf | undefined;
}

/** One job's claim, from its first look to its end. */
export interface ClaimScope extends LockDeps {
  readonly jobId: string;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** Monotonic time of the first look: every `timeout` counts from here. */
  readonly firstLookAt: number;
  readonly announce: WaitAnnouncer;
  /** How the job's own locks live. */
  readonly lease: LockLease;
  /** The lease of one attempt; it begins with the first lock that is added to it. */
  readonly openLease: () => Lease;
  readonly breaker: StaleBreaker;
  readonly reachFence: Waiter["reachFence"];
  /** A lock with this token is in the way; it may be one that this director still wants to give back. */
  readonly sawToken: (token: string) => void;
}

/** Tells the listeners about the waits of one claim. */
export interface WaitAnnouncer {
  /** A wait begins (again) because of this file. */
  blocked(target: LockTarget, sight: Sight): void;
  /** The claim is over; says nothing when there was no wait. */
  over(outcome: "free" | "timeout" | "cancelled" | "failed"): void;
}

export function createWaitAnnouncer(
  deps: LockDeps,
  of: { jobId: string; runId: string; firstLookAt: number },
): WaitAnnouncer {
  const { clock, events } = deps;
  const { jobId, runId, firstLookAt } = of;
  let waited = false;
  const foreign = new Set<string>();
  const announceForeign = ({ key, place }: LockTarget, { owner, ageSeconds, mtime }: FoundLock) => {
    if (foreign.has(`${key} ${mtime}`)) return;
    foreign.add(`${key} ${mtime}`);
    events.emit("lock:foreign", { jobId, runId, place, owner, ageSeconds, at: clock.now() });
  };
  return {
    blocked: (target, sight) => {
      waited = true;
      if (sight.state === "held" && sight.found.record === null) announceForeign(target, sight.found);
      events.emit("job:blocked", {
        jobId,
        runId,
        place: target.place,
        state: sight.state === "held" ? "held" : "unknown",
        owner: sight.state === "held" ? sight.found.owner : null,
        detail: describeSight(sight),
        at: clock.now(),
      });
    },
    over: (outcome) => {
      if (!waited) return;
      const waitedMs = clock.monotonic() - firstLookAt;
      events.emit("job:unblocked", { jobId, runId, waitedMs, outcome, at: clock.now() });
    },
  };
}
