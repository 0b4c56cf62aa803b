import { abortReasonOf } from "../../base/abort.ts";
import type { Job } from "../../config/resolved.ts";
import type { Fencing, HoldClaim, WritersLeft } from "../../model/hold.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { createFenceChooser, type JobFences } from "./choose-fences.ts";
import type { HoldSite } from "./hold-plan.ts";
import { type KeptLocks, type PendingRelease, releaseAfterWriters } from "./hold-release.ts";
import type { IntentBook } from "../recovery/intents.ts";
import type { HeldSite } from "../recovery/intents-file.ts";
import type { ClaimResult, HeldLocks, JobLocks } from "../job-locks.ts";
import type { ProcessTable } from "./survivors.ts";
import { createVolatileWarner } from "./volatile-locks.ts";
import type { TransportPool } from "../transport/transport-pool.ts";

/**
 * The locks of jobs together with what makes them hold when things go wrong: kernel locks that the
 * writers at the destinations keep, and a record on disk of what has to be cleaned up after a crash.
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
  /** What the writers of a target have to hold. */
  fencingOf(targetId: string): Fencing;
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
  const chooseFences = createFenceChooser(deps);
  const kept = new Set<KeptLocks>();

  const release = (pending: PendingRelease): Promise<readonly string[]> => {
    const keeper = releaseAfterWriters(pending, deps);
    kept.add(keeper);
    void keeper.over.then(() => kept.delete(keeper));
    return keeper.waited;
  };
  const guard = (held: HeldLocks, of: { runId: string; jobId: string }, { byTarget }: JobFences): GuardedHold => {
    let released: Promise<readonly string[]> | undefined;
    const giveBack: HeldLocks["tryRelease"] = async (options) => {
      const given = await held.tryRelease(options);
      if (given.inUse === undefined) intents.end(of);
      return given;
    };
    const token = held.taken[0]?.token;
    return {
      lost: held.lost,
      fencingOf: (targetId) => {
        const { site, reason } = byTarget.get(targetId) ?? {};
        if (reason !== undefined) return { kind: "unfenced", reason };
        if (site === undefined || token === undefined) return { kind: "none" };
        return { kind: "fenced", holds: site.files.map((file): HoldClaim => ({ ...file, token })) };
      },
      spawned: (id) => {
        const start = processes.startTimeOf(id);
        if (typeof start === "number") intents.spawned(of, { id, start });
      },
      release: ({ survivors, atTargets }) => {
        const sites = [...new Set(atTargets)].flatMap((id) => byTarget.get(id)?.site ?? []);
        return (released ??= release({ held, of, sites, survivors, release: giveBack }));
      },
    };
  };

  return {
    claim: async ({ job, runId, signal }) => {
      const of = { runId, jobId: job.id };
      const fences = await chooseFences(job, signal);
      if (signal.aborted) return { kind: "cancelled", reason: abortReasonOf(signal) };
      if (fences.kind === "refused") return { kind: "failed", message: fences.message };
      const { sites, fence, unfencedBecause } = fences;
      for (const site of sites) void warnOfVolatile(job, site);
      intents.begin({ ...of, locks: job.lockFiles, holds: sites.map(toHeldSite) });
      const hold = sites.length > 0;
      const unfenced = hold && unfencedBecause !== undefined;
      const claim = await locks.claim({ job, runId, signal, hold, unfenced, fence });
      if (claim.kind !== "held") {
        intents.end(of);
        return claim;
      }
      const fencing =
        unfencedBecause !== undefined ? "unfenced" : hold && claim.held.taken.length > 0 ? "fenced" : "none";
      events.emit("job:fencing", { ...of, fencing, reason: unfencedBecause ?? null, at: clock.now() });
      return { kind: "held", held: guard(claim.held, of, fences) };
    },
    close: async () => {
      for (const keeper of kept) keeper.giveUp();
      await Promise.all([...kept].map(({ over }) => over));
      await locks.close();
      await intents.close();
    },
  };
}

function toHeldSite({ at, files, fence }: HoldSite): HeldSite {
  return { at, paths: files.map(({ hold }) => hold), ...(fence !== undefined && { fence }) };
}
