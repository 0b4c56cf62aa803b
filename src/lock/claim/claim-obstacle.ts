import type { Block, LockLease, LockManners } from "../../config/resolved.ts";
import type { LockRecord } from "../lock-record.ts";
import type { Sight } from "../look.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

/** A lock file that a job names, and what the configuration says of those who use it. */
export interface NamedTarget extends LockTarget, LockManners {}

/** A file that keeps a job from going on; without a block it is a lock of the job's own that another holds. */
export interface Obstacle {
  readonly target: NamedTarget;
  readonly block: Block | undefined;
}

/** A lock that keeps a job waiting, as it was just seen. */
export interface SeenObstacle {
  readonly target: NamedTarget;
  readonly sight: Sight;
}

/** Breaks the locks of dead owners, so that nobody waits for them for ever. */
export interface StaleBreaker {
  /**
   * Takes note of a look and breaks what is stale. `broke`: something has gone, look at once, contend like
   * everybody else. Otherwise look again after at most `lookAgainMs`. Never rejects.
   */
  attend(
    looks: readonly SeenObstacle[],
    waiter: Waiter,
  ): Promise<{ readonly broke: boolean; readonly lookAgainMs: number }>;
}

/** The job that waits. */
export interface Waiter {
  readonly jobId: string;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly lease: LockLease;
  /** The way to the hold file that a lock names, if this job's configuration leads there. */
  readonly reachFence: (record: LockRecord) => Promise<LockTarget | undefined>;
}
