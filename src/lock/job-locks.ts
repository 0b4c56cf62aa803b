import { randomBytes } from "node:crypto";
import type { AbortReason } from "../base/abort.ts";
import type { Block, Job } from "../config/resolved.ts";
import type { LockPlace } from "../model/run.ts";
import type { Badge } from "./claim-attempt.ts";
import { claimLocks, reportStuck } from "./claim-locks.ts";
import { createWaitAnnouncer, type ClaimScope, type LockDeps } from "./claim-scope.ts";
import { formatLockContent, makeRank, type LockOwner } from "./lock-record.ts";
import { defaultLockTimings, type LockTimings } from "./lock-timings.ts";
import { describePlace } from "./look.ts";
import { createOrphanReaper, type OrphanReaper } from "./orphan-reaper.ts";
import { releaseLocks, type TakenLock } from "./release-locks.ts";
import type { TransportPool } from "./transport-pool.ts";

/** Takes and gives back the locks of jobs. */
export interface JobLocks {
  /**
   * Waits until the job's blocks are free and its own locks are taken, all of them. Aborting the signal
   * ends the wait at once; what was taken by then is given back before the answer comes. Never rejects.
   */
  claim(request: { job: Job; runId: string; signal: AbortSignal }): Promise<ClaimResult>;
  /** Ends the background work; locks that could not be given back so far are reported. */
  close(): Promise<void>;
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
  /** Aborted with `AbortReason("lock-lost")` when a lock is lost; without the lease that is never. */
  readonly lost: AbortSignal;
  /**
   * Gives all locks back, newest first, within a deadline of its own. Answers with what went wrong, in
   * words; empty when all were ours and are free. Never rejects; once is enough.
   */
  release(): Promise<readonly string[]>;
  /** Leaves all locks where they are, and says so: somebody may still write behind them. */
  keep(detail: string): void;
}

export interface JobLocksDeps extends Omit<LockDeps, "timings"> {
  readonly transports: TransportPool;
  readonly owner: LockOwner;
  readonly timings?: Partial<LockTimings>;
  /** 128 random bits in base64url; replaced in tests. */
  readonly newToken?: () => string;
}

export function createJobLocks(deps: JobLocksDeps): JobLocks {
  const { transports, clock, newToken = () => randomBytes(16).toString("base64url") } = deps;
  const shared: LockDeps = { ...deps, timings: { ...defaultLockTimings, ...deps.timings } };
  const reaper = createOrphanReaper(shared);

  const makeBadge = (job: Job, runId: string, attempts: number): Badge => {
    const token = newToken();
    const rank = makeRank(attempts, token);
    const content = formatLockContent({
      v: 1,
      token,
      state: "held",
      rank,
      owner: deps.owner,
      job: job.id,
      run: runId,
      // No lease in this version: nobody may ever take this lock for stale.
      hb: 0,
      ttl: 0,
      hold: false,
      created: new Date(clock.now()).toISOString(),
    });
    return { token, rank, content };
  };

  return {
    claim: async ({ job, runId, signal }) => {
      if (job.lockFiles.length === 0 && job.blocksOn.length === 0) return { kind: "held", held: noLocks() };
      const of = { jobId: job.id, runId, firstLookAt: clock.monotonic() };
      const announce = createWaitAnnouncer(shared, of);
      const scope: ClaimScope = { ...shared, ...of, signal, announce };
      const own = await Promise.all(job.lockFiles.map((lock) => transports.locate(lock)));
      const blocks = await Promise.all(
        job.blocksOn.map(async (block) => ({ target: await transports.locate(block.lock), block })),
      );
      const badgeOf = (attempts: number) => makeBadge(job, runId, attempts);
      const outcome = await claimLocks({ own, blocks }, scope, { makeBadge: badgeOf, reaper });
      announce.over(outcome.kind === "held" ? "free" : outcome.kind);
      return outcome.kind === "held" ? { kind: "held", held: holdLocks(outcome.taken, scope, reaper) } : outcome;
    },
    close: () => Promise.resolve(reaper.close()),
  };
}

function noLocks(): HeldLocks {
  return { places: [], lost: new AbortController().signal, release: () => Promise.resolve([]), keep: () => undefined };
}

function holdLocks(taken: readonly TakenLock[], scope: ClaimScope, reaper: OrphanReaper): HeldLocks {
  let released: Promise<readonly string[]> | undefined;
  return {
    places: taken.map(({ target }) => target.place),
    lost: new AbortController().signal,
    release: () => (released ??= giveBack(taken, scope, reaper)),
    keep: (detail) => taken.forEach((lock) => reportStuck(lock, detail, scope)),
  };
}

async function giveBack(
  taken: readonly TakenLock[],
  scope: ClaimScope,
  reaper: OrphanReaper,
): Promise<readonly string[]> {
  const { jobId, runId, events, clock } = scope;
  const outcomes = await releaseLocks(taken, scope);
  const troubles: string[] = [];
  for (const [index, lock] of [...taken.entries()].toReversed()) {
    const outcome = outcomes[index];
    const { place } = lock.target;
    const of = { jobId, runId, place, token: lock.token, at: clock.now() };
    if (outcome?.kind === "released") {
      events.emit("lock:released", of);
    } else if (outcome === undefined || outcome.kind === "stuck") {
      reaper.add({ lock, jobId, runId });
      reportStuck(lock, outcome?.detail ?? "", scope);
      troubles.push(`could not free the lock ${describePlace(place)}`);
    } else {
      const detail = outcome.kind === "lost" ? outcome.detail : "the file was gone";
      events.emit("lock:lost", { ...of, detail });
      troubles.push(
        `the lock ${describePlace(place)} was no longer ours at the end (${detail}): another job may have run meanwhile`,
      );
    }
  }
  return troubles;
}
