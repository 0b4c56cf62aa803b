import { abortReasonOf, type AbortReason } from "../../base/abort.ts";
import { nextTurn } from "../../base/next-turn.ts";
import type { Block } from "../../config/resolved.ts";
import { hasExpired, lookWithin, pauseWatching, timedOut, timeLeft, waitUntilFree } from "./block-wait.ts";
import { attemptClaim, takesOneTrip } from "./claim-attempt.ts";
import type { Badge } from "./claim-badge.ts";
import type { NamedTarget, Obstacle } from "./claim-obstacle.ts";
import type { ClaimFailure } from "./claim-group.ts";
import type { ClaimScope } from "./claim-scope.ts";
import type { Lease } from "../lease/lease.ts";
import { backoffDelay } from "../lock-timings.ts";
import { describePlace, describeSight, type Sight } from "../look.ts";
import type { OrphanReaper } from "../recovery/orphan-reaper.ts";
import { isGone, releaseLocks, type TakenLock } from "../release-locks.ts";
import { eachOnce } from "../transport/transport-pool.ts";

export type ClaimOutcome =
  /** `lease` keeps the locks alive; undefined: there are none. */
  | { readonly kind: "held"; readonly taken: readonly TakenLock[]; readonly lease: Lease | undefined }
  | { readonly kind: "timeout"; readonly block: Block; readonly message: string }
  | { readonly kind: "cancelled"; readonly reason: AbortReason }
  | { readonly kind: "failed"; readonly message: string };

/**
 * Takes all of a job's locks or none: looks until everything is free while holding nothing, claims,
 * looks again, and gives everything back when the second look finds something. Nobody waits for long while
 * holding, so there is no deadlock, whatever the jobs list.
 */
export async function claimLocks(
  job: { readonly own: readonly NamedTarget[]; readonly blocks: readonly Obstacle[] },
  scope: ClaimScope,
  deps: { makeBadge: (attempts: number) => Badge; reaper: OrphanReaper },
): Promise<ClaimOutcome> {
  const own = inGlobalOrder(job.own);
  // Own locks are watched as well, from the first look on: what was not watched does not count.
  const obstacles = [...job.blocks, ...own.map((target) => ({ target, block: undefined }))];
  // Without a wait for others there is nothing to watch meanwhile: the first claim tells by itself.
  let mayClaim = job.blocks.length === 0;
  // The first look may be made on the way to the claim, which comes to nothing if it finds anything.
  let lookFirst = own.length > 0 && !mayClaim && takesOneTrip(own, job.blocks);
  let firstLook: readonly Sight[] | undefined;
  for (let attempts = 0; ;) {
    const isFree = mayClaim || lookFirst;
    const wait = isFree ? ({ kind: "free" } as const) : await waitUntilFree(obstacles, scope, attempts, firstLook);
    if (wait.kind !== "free") return wait;
    [mayClaim, firstLook] = [false, undefined];
    if (scope.signal.aborted) return { kind: "cancelled", reason: abortReasonOf(scope.signal) };
    if (own.length === 0) return { kind: "held", taken: [], lease: undefined };

    const taken: TakenLock[] = [];
    const badge = deps.makeBadge(attempts);
    await scope.journal?.claiming({ jobId: scope.jobId, runId: scope.runId, token: badge.token });
    const within = lookFirst ? { withinMs: lookWithin(job.blocks, scope) } : undefined;
    const attempt = { own, blocks: job.blocks, badge, lookFirst: within };
    lookFirst = false;
    const lease = scope.openLease();
    const result = await attemptClaim(attempt, taken, scope, lease).catch(async (bug: unknown) => {
      lease.end();
      await withdraw(taken, "an unexpected error", scope, deps.reaper);
      throw bug;
    });
    if (result.kind === "held") return { kind: "held", taken, lease };
    lease.end();
    if (result.kind === "looked") {
      // Nobody waits for a host that does not answer: what may have been claimed there is given back in the background.
      noteLeft(taken, () => true, scope);
      for (const lock of taken) deps.reaper.add({ lock, jobId: scope.jobId, runId: scope.runId });
      deps.reaper.sawToken(badge.token);
      if (taken.length === 0) scope.journal?.left(badge.token, []);
      firstLook = result.sights;
      continue;
    }
    await withdraw(taken, because(result), scope, deps.reaper);
    if (taken.length === 0) scope.journal?.left(badge.token, []);
    if (result.kind === "cancelled") return { kind: "cancelled", reason: abortReasonOf(scope.signal) };
    if (result.kind === "failed") {
      return { kind: "failed", message: `cannot lock ${describePlace(result.target.place)}: ${result.detail}` };
    }
    const { obstacle, sight } = result;
    const { block } = obstacle;
    if (block !== undefined && hasExpired(block, scope)) return timedOut(obstacle.target, block, sight);
    scope.announce.blocked(obstacle.target, sight);
    const left = timeLeft([obstacle], scope) ?? Infinity;
    const delay = Math.min(backoffDelay(attempts, scope.timings, scope.random), left);
    if (!(await pauseWatching(obstacles, delay, scope, { target: obstacle.target, sight })))
      return { kind: "cancelled", reason: abortReasonOf(scope.signal) };
    attempts += 1;
  }
}

/** Sorted by host and path: whatever the configuration says, all directors claim alike. */
function inGlobalOrder(targets: readonly NamedTarget[]): NamedTarget[] {
  const once = eachOnce(targets, (target) => target);
  return once.toSorted((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -1 : 1));
}

function because(result: ClaimFailure): string {
  switch (result.kind) {
    case "blocked":
      return `${describePlace(result.obstacle.target.place)} ${describeSight(result.sight)}`;
    case "failed":
      return `${describePlace(result.target.place)} cannot be locked: ${result.detail}`;
    case "cancelled":
      return "the job was stopped";
  }
}

async function withdraw(
  taken: readonly TakenLock[],
  reason: string,
  scope: ClaimScope,
  reaper: OrphanReaper,
): Promise<void> {
  const { jobId, runId, events, clock } = scope;
  // Writers are started by jobs that hold all their locks.
  const outcomes = await releaseLocks(taken, { ...scope, withoutWriters: true });
  // A host answers in turn: the answer to a claim that was given up is there before the one to its release.
  if (taken.some(({ certain }) => !certain)) await nextTurn();
  const gone = taken.map((lock, index) => isGone(lock, outcomes[index]?.kind ?? "stuck"));
  noteLeft(taken, (index) => gone[index] === false, scope);
  for (const [index, lock] of taken.entries()) {
    const outcome = outcomes[index];
    const { place } = lock.target;
    if (gone[index] === false) reaper.add({ lock, jobId, runId });
    if (!lock.certain) continue;
    if (outcome?.kind === "stuck") {
      reportStuck(lock, outcome.detail, scope);
    } else {
      events.emit("lock:withdrawn", { jobId, runId, place, token: lock.token, because: reason, at: clock.now() });
    }
  }
}

/** Has the journal forget a token, or keep only those locks of it that may still be there. */
export function noteLeft(
  taken: readonly TakenLock[],
  isLeft: (index: number) => boolean,
  { journal }: Pick<ClaimScope, "journal">,
): void {
  const keys = taken.filter((_, index) => isLeft(index)).map(({ target }) => target.key);
  for (const token of new Set(taken.map((lock) => lock.token))) journal?.left(token, keys);
}

/** Somebody has to know about a lock that could not be given back: it keeps every other job waiting. */
export function reportStuck(lock: TakenLock, detail: string, scope: Omit<ClaimScope, "signal">): void {
  const { jobId, runId, events, clock } = scope;
  const { token, target } = lock;
  events.emit("lock:stuck", { jobId, runId, place: target.place, token, detail, at: clock.now() });
}
