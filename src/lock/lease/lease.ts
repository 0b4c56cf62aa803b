import type { LockLease } from "../../config/resolved.ts";
import type { TakenLock } from "../release-locks.ts";

/**
 * The locks of one claim, kept alive. The age of a lock counts from the START of the last operation that
 * confirmed it, on a clock that goes on while the machine is suspended: what others see is never older.
 */
export interface Lease {
  /** Aborted with `AbortReason("lock-lost")` as soon as a lock is not, or may soon not be, ours any more. */
  readonly lost: AbortSignal;
  readonly lostLock: TakenLock | undefined;
  /** A lock was taken by an operation that began at `confirmedAt` (monotonic). */
  add(lock: TakenLock, confirmedAt: number): void;
  /** It was confirmed by another operation than a beat. */
  confirm(lock: TakenLock, confirmedAt: number): void;
  /** The second look is over: from now on the configured times count. */
  hold(): void;
  /** Beats what was confirmed longer ago; resolves to whether all of that is confirmed now. */
  refresh(longestAgeMs: number): Promise<boolean>;
  /** Somebody found that the file is gone or another's. */
  reportLost(lock: TakenLock, detail: string): void;
  /** Nothing is sent any more, and answers that are under way mean nothing. Before locks are given back. */
  end(): void;
  /** Time has passed, `sinceLastMs` of it since the call before. */
  tick(sinceLastMs: number): void;
}

export interface LeaseOf {
  readonly jobId: string;
  readonly runId: string;
  readonly settings: LockLease;
}
