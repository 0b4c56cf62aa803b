import { abortReasonOf } from "../../base/abort.ts";
import type { Job } from "../../config/resolved.ts";
import type { Fencing, HoldClaim, WritersLeft } from "../../model/hold.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { planHolds, type HoldSite } from "./hold-plan.ts";
import { type KeptLocks, type PendingRelease, releaseAfterWriters } from "./hold-release.ts";
import { findObstacle } from "./hold-watch.ts";
import type { IntentBook } from "../recovery/intents.ts";
import type { Intent } from "../recovery/intents-file.ts";
import type { HoldPlace } from "../lock-record.ts";
import type { ClaimResult, HeldLocks, JobLocks } from "../job-locks.ts";
import type { ProcessTable } from "./survivors.ts";
import { createVolatileWarner } from "./volatile-locks.ts";
import type { TransportPool } from "../transport/transport-pool.ts";

/**
 * The locks of jobs together with what makes them hold when things go wrong: a kernel lock that the
 * writer at the destination keeps, and a record on disk of what has to be cleaned up after a crash.
 */
export interface GuardedLocks {
  /** As `JobLocks.claim`. Never rejects. */
  claim(request: { job: Job; runId: string; signal: AbortSignal }): Promise<GuardedClaim>;
  /** Ends the background work. Locks that are kept for a living writer stay, and stay written down. */
  close(): Promise<void>;
}

export type GuardedClaim =
  { readonly kind: "held"; readonly held: GuardedHold } | Exclude<ClaimResult, { readonly kind: "held" }>;

export interface GuardedHold {
  readonly lost: AbortSignal;
  readonly fencing: Fencing;
  /** A child was started that leads a process group. */
  spawned(pid: number): void;
  /**
   * Gives the locks back once nobody writes any more. What takes too long goes on in the background.
   * Answers with what went wrong, in words; empty when all were ours and are free.
   */
  release(left: WritersLeft): Promise<readonly string[]>;
}

export interface GuardedLocksDeps extends LockDeps {
  readonly locks: JobLocks;
  readonly transports: TransportPool;
  readonly intents: IntentBook;
  readonly processes: ProcessTable;
  /** Once it is aborted nobody waits for writers any more; the locks are kept. */
  readonly hurry?: AbortSignal | undefined;
}

export function createGuardedLocks(deps: GuardedLocksDeps): GuardedLocks {
  const { locks, intents, processes, events, clock } = deps;
  const warnOfVolatile = createVolatileWarner(deps);
  const kept = new Set<KeptLocks>();

  const release = (pending: PendingRelease): Promise<readonly string[]> => {
    const keeper = releaseAfterWriters(pending, deps);
    kept.add(keeper);
    void keeper.over.then(() => kept.delete(keeper));
    return keeper.waited;
  };
  const guard = (held: HeldLocks, of: { runId: string; jobId: string }, fence: ChosenFence): GuardedHold => {
    const { site } = fence;
    let released: Promise<readonly string[]> | undefined;
    const giveBack: HeldLocks["tryRelease"] = async (options) => {
      const given = await held.tryRelease(options);
      if (given.inUse === undefined) intents.end(of);
      return given;
    };
    return {
      lost: held.lost,
      fencing: toFencing(fence, held),
      spawned: (id) => {
        const start = processes.startTimeOf(id);
        if (start !== undefined) intents.spawned(of, { id, start });
      },
      release: ({ survivors, atDestination }) =>
        (released ??= release({ held, of, site: atDestination ? site : undefined, survivors, release: giveBack })),
    };
  };

  return {
    claim: async ({ job, runId, signal }) => {
      const of = { runId, jobId: job.id };
      const fence = await chooseFence(job, signal, deps);
      if (signal.aborted) return { kind: "cancelled", reason: abortReasonOf(signal) };
      if (fence.kind === "refused") return { kind: "failed", message: fence.message };
      const { site } = fence;
      if (site !== undefined) void warnOfVolatile(job, site);
      const holds = site === undefined ? null : holdsOf(site);
      intents.begin({ ...of, locks: job.lockFiles, holds });
      const claim = await locks.claim({ job, runId, signal, hold: site !== undefined, fence: placeOfFence(site) });
      if (claim.kind !== "held") {
        intents.end(of);
        return claim;
      }
      const held = guard(claim.held, of, fence);
      const { fencing } = held;
      const reason = fencing.kind === "unfenced" ? fencing.reason : null;
      events.emit("job:fencing", { ...of, fencing: fencing.kind, reason, at: clock.now() });
      return { kind: "held", held };
    },
    close: async () => {
      for (const keeper of kept) keeper.giveUp();
      await Promise.all([...kept].map(({ over }) => over));
      await locks.close();
      await intents.close();
    },
  };
}

interface ChosenFence {
  readonly kind: "chosen";
  readonly site?: HoldSite;
  /** Why there is none although there is something to fence. */
  readonly reason?: string;
}

/**
 * Asks the host that is written whether hold locks can be taken there. Without an answer they are used
 * all the same: the very moment after a broken connection is the one they are for.
 */
async function chooseFence(
  job: Job,
  signal: AbortSignal,
  { transports, clock, timings }: GuardedLocksDeps,
): Promise<ChosenFence | { readonly kind: "refused"; readonly message: string }> {
  const plan = await planHolds(job, transports);
  if (plan.kind === "none") return { kind: "chosen" };
  let reason = plan.kind === "impossible" ? plan.reason : undefined;
  if (plan.kind === "possible") {
    const { site } = plan;
    const watched = { transport: site.transport, paths: site.files.map(({ hold }) => hold) };
    const { fence } = site;
    reason = await findObstacle({ ...watched, fence }, { clock, signal, withinMs: timings.operationMs });
    if (reason === undefined) return { kind: "chosen", site };
  }
  if (job.hold === "required") return { kind: "refused", message: `a hold lock is required and cannot be: ${reason}` };
  return { kind: "chosen", reason: reason ?? "" };
}

function holdsOf({ at, files, fence }: HoldSite): NonNullable<Intent["holds"]> {
  return { at, paths: files.map(({ hold }) => hold), ...(fence !== undefined && { fence }) };
}

/** What the lock files say of it. */
function placeOfFence(site: HoldSite | undefined): HoldPlace | undefined {
  if (site?.fence === undefined) return undefined;
  const { at, fence: path } = site;
  if (at.type === "local") return { host: null, path };
  const { host, user, port } = at.endpoint;
  return { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }), path };
}

function toFencing({ site, reason }: ChosenFence, held: HeldLocks): Fencing {
  if (reason !== undefined) return { kind: "unfenced", reason };
  const token = held.taken[0]?.token;
  if (site === undefined || token === undefined) return { kind: "none" };
  return { kind: "fenced", holds: site.files.map((file): HoldClaim => ({ ...file, token })) };
}
