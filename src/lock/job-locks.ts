import { randomBytes } from "node:crypto";
import type { AbortReason } from "../base/abort.ts";
import type { Block, Job, LockFile } from "../config/resolved.ts";
import type { LockPlace } from "../model/run.ts";
import { makeBadge } from "./claim/claim-badge.ts";
import { createStaleBreaker } from "./claim/claim-break.ts";
import { claimLocks, noteLeft, reportStuck, type ClaimOutcome } from "./claim/claim-locks.ts";
import type { NamedTarget } from "./claim/claim-obstacle.ts";
import { createWaitAnnouncer, type ClaimScope, type LockDeps } from "./claim/claim-scope.ts";
import type { Lease } from "./lease/lease.ts";
import { createLeaseKeeper } from "./lease/lease-keeper.ts";
import { createFenceFinder } from "./hold/fence-finder.ts";
import type { Fence, LockOwner } from "./lock-record.ts";
import { defaultLockTimings, type LockTimings } from "./lock-timings.ts";
import { describePlace } from "./look.ts";
import { createOrphanReaper, type OrphanReaper } from "./recovery/orphan-reaper.ts";
import { releaseLocks, type ReleaseOutcome, type TakenLock } from "./release-locks.ts";
import { createOwnerProbe, type OwnerProbe } from "./lease/stale-watch-owner.ts";
import type { TransportPool } from "./transport/transport-pool.ts";

/** Takes and gives back the locks of jobs. */
export interface JobLocks {
  /**
   * Waits until the job's blocks are free and its own locks are taken, all of them. Aborting the signal
   * ends the wait at once; what was taken by then is given back before the answer comes. Never rejects.
   */
  claim(request: ClaimRequest): Promise<ClaimResult>;
  /** Ends the background work; locks that could not be given back so far are reported. */
  close(): Promise<void>;
}

export interface ClaimRequest {
  readonly job: Job;
  readonly runId: string;
  readonly signal: AbortSignal;
  /** The writers of the job will hold a kernel lock: whoever finds this lock stale can tell whether they live. */
  readonly hold?: boolean;
  /** Some of them will not. */
  readonly unfenced?: boolean;
  /** Where the tokens of that job can be declared dead, when a hold lock is not beside its lock file. */
  readonly fence?: Fence | undefined;
}

export type ClaimResult =
  | { readonly kind: "held"; readonly held: HeldLocks }
  /** A block outlasted its timeout; `block.onTimeout` says what that means for the job. */
  | { readonly kind: "timeout"; readonly block: Block; readonly message: string }
  | { readonly kind: "cancelled"; readonly reason: AbortReason }
  /** A lock of the job's own can never be taken as things are: no directory, no permission, wrong host key. */
  | { readonly kind: "failed"; readonly message: string };

export interface HeldLocks {
  /** In the order in which they were taken. */
  readonly places: readonly LockPlace[];
  /** The same with their token. */
  readonly taken: readonly TakenLock[];
  /**
   * Aborted with `AbortReason("lock-lost")` as soon as a lock is lost, or may soon be: everything that writes
   * has to stop at once. Also when only the release finds that it was.
   */
  readonly lost: AbortSignal;
  /**
   * Gives all locks back, newest first, within a deadline of its own. Answers with what went wrong, in
   * words; empty when all were ours and are free. Never rejects; once is enough.
   */
  release(): Promise<readonly string[]>;
  /**
   * The same for somebody who waits until no writer is left: `inUse` says, in words, that a writer still keeps a
   * lock from being given back, and this is to be called again. `withoutWriters`: as in `OwnLock`.
   */
  tryRelease(options: {
    readonly withoutWriters: boolean;
  }): Promise<{ readonly troubles: readonly string[]; readonly inUse: string | undefined }>;
}

export interface JobLocksDeps extends Omit<LockDeps, "timings"> {
  readonly transports: TransportPool;
  readonly owner: LockOwner;
  readonly timings?: Partial<LockTimings>;
  /** Replaced in tests. */
  readonly owners?: OwnerProbe;
  /** 128 random bits in base64url; replaced in tests. */
  readonly newToken?: () => string;
}

export function createJobLocks(deps: JobLocksDeps): JobLocks {
  const { transports, owner, clock, newToken = () => randomBytes(16).toString("base64url") } = deps;
  const timings = { ...defaultLockTimings, ...deps.timings };
  const shared: LockDeps = { ...deps, timings };
  const reaper = createOrphanReaper(shared);

  const owners = deps.owners ?? createOwnerProbe(owner);
  const breaker = createStaleBreaker({ ...shared, owners });
  const keeper = createLeaseKeeper(shared);

  const locate = async (lock: LockFile): Promise<NamedTarget> => {
    const { peer, foreignStaleAfterMs } = lock;
    return { ...(await transports.locate(lock)), peer, foreignStaleAfterMs };
  };

  return {
    claim: async (request) => {
      const { job, runId, signal, hold = false, unfenced = false } = request;
      if (job.lockFiles.length === 0 && job.blocksOn.length === 0) return { kind: "held", held: noLocks() };
      const of = { jobId: job.id, runId, firstLookAt: clock.monotonic() };
      const announce = createWaitAnnouncer(shared, of);
      const { lease } = job;
      const openLease = () => keeper.open({ ...of, settings: lease });
      const reachFence = createFenceFinder(job, { transports, owner });
      const sawToken = (token: string) => reaper.sawToken(token);
      const scope: ClaimScope = { ...shared, ...of, signal, announce, lease, openLease, breaker, reachFence, sawToken };
      const own = await Promise.all(job.lockFiles.map(locate));
      const blocks = await Promise.all(
        job.blocksOn.map(async (block) => ({ target: await locate(block.lock), block })),
      );
      const badgeOf = (attempts: number) =>
        makeBadge(
          { ...of, attempts, owner, hold, unfenced, fence: request.fence, lease },
          { token: newToken(), claimHeartbeatMs: timings.claimHeartbeatMs, now: clock.now() },
        );
      const outcome = await claimLocks({ own, blocks }, scope, { makeBadge: badgeOf, reaper });
      announce.over(outcome.kind === "held" ? "free" : outcome.kind);
      return outcome.kind === "held" ? { kind: "held", held: holdLocks(outcome, scope, reaper) } : outcome;
    },
    close: () => {
      keeper.close();
      return Promise.resolve(reaper.close());
    },
  };
}

function noLocks(): HeldLocks {
  const nothing = { troubles: [], inUse: undefined };
  return {
    ...{ places: [], taken: [], lost: new AbortController().signal },
    ...{ release: () => Promise.resolve([]), tryRelease: () => Promise.resolve(nothing) },
  };
}

function holdLocks(
  { taken, lease }: ClaimOutcome & { kind: "held" },
  scope: ClaimScope,
  reaper: OrphanReaper,
): HeldLocks {
  if (lease === undefined) return noLocks();
  const pending = new Set(taken);
  const troubles: string[] = [];
  /** What a writer still needs is left for the next try, unless it is the last. */
  const giveBack = async (isLast: boolean, withoutWriters = false) => {
    lease.end();
    const locks = taken.filter((lock) => pending.has(lock));
    const outcomes = await releaseLocks(locks, { ...scope, waitsForWriters: !isLast, withoutWriters });
    const isInUse = (index: number) => {
      const outcome = outcomes[index];
      return outcome?.kind === "stuck" && outcome.inUse === true;
    };
    const waiting = locks.filter((_, index) => !isLast && isInUse(index));
    noteLeft(locks, (index) => outcomes[index]?.kind === "stuck", scope);
    for (const [index, lock] of [...locks.entries()].toReversed()) {
      if (waiting.includes(lock)) continue;
      pending.delete(lock);
      const trouble = settle(lock, outcomes[index], scope, { reaper, lease });
      if (trouble !== undefined) troubles.push(trouble);
    }
    const first = waiting[0] === undefined ? undefined : outcomes[locks.indexOf(waiting[0])];
    return { troubles, inUse: first?.kind === "stuck" ? first.detail : undefined };
  };
  let released: Promise<readonly string[]> | undefined;
  return {
    places: taken.map(({ target }) => target.place),
    taken,
    lost: lease.lost,
    tryRelease: ({ withoutWriters }) => giveBack(false, withoutWriters),
    release: () => (released ??= giveBack(true).then((given) => given.troubles)),
  };
}

/** Says what has become of a lock that was to be given back. Returns what is wrong, in words. */
function settle(
  lock: TakenLock,
  outcome: ReleaseOutcome | undefined,
  scope: ClaimScope,
  { reaper, lease }: { reaper: OrphanReaper; lease: Lease },
): string | undefined {
  const { jobId, runId, events, clock } = scope;
  const { place } = lock.target;
  if (outcome?.kind === "released") {
    events.emit("lock:released", { jobId, runId, place, token: lock.token, at: clock.now() });
    return undefined;
  }
  if (outcome === undefined || outcome.kind === "stuck") {
    reaper.add({ lock, jobId, runId });
    reportStuck(lock, outcome?.detail ?? "", scope);
    return `could not free the lock ${describePlace(place)}`;
  }
  const detail = outcome.kind === "lost" ? outcome.detail : "the file was gone";
  lease.reportLost(lock, `when it was given back, ${detail}: another job may have run meanwhile`);
  return undefined;
}
