import { abortReasonOf, childController, sleep } from "../../base/abort.ts";
import { lookWithin } from "./block-wait.ts";
import type { Badge } from "./claim-badge.ts";
import {
  claimGroup,
  consecutive,
  sharesTrip,
  type ClaimFailure,
  type GroupTrip,
  type LookedOnly,
} from "./claim-group.ts";
import { beginLease, promoteAll } from "./claim-promote.ts";
import type { NamedTarget, Obstacle } from "./claim-obstacle.ts";
import type { ClaimScope } from "./claim-scope.ts";
import type { Lease } from "../lease/lease.ts";
import { describeSight, lookAt, type Sight } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";

export type AttemptResult = { readonly kind: "held" } | LookedOnly | ClaimFailure;

interface Attempt {
  readonly own: readonly NamedTarget[];
  readonly blocks: readonly Obstacle[];
  readonly badge: Badge;
  /** Nobody has looked yet: the claim does it in the same trip. Only for what `takesOneTrip`. */
  readonly lookFirst?: GroupTrip["lookFirst"];
}

/** Whether look, claim, second look and promotion can be one trip: all is on one host, and nobody needs a pause. */
export function takesOneTrip(own: readonly NamedTarget[], blocks: readonly Obstacle[]): boolean {
  const all = [...own, ...blocks.map(({ target }) => target)];
  return all.every((target) => sharesTrip(target, own) && target.peer !== "legacy");
}

/**
 * One attempt: claims the job's locks in their global order, looks at the blocks again,
 * and promotes the claims if nothing is in the way. Everything that was taken, or may have been, is added
 * to `taken` as it happens and kept alive by `lease`; giving it back after any result but `held` is up to
 * the caller.
 */
export async function attemptClaim(
  attempt: Attempt,
  taken: TakenLock[],
  scope: ClaimScope,
  lease: Lease,
): Promise<AttemptResult> {
  const ending = childController(scope.signal);
  const onLost = () => ending.abort(lease.lost.reason);
  lease.lost.addEventListener("abort", onLost, { once: true });
  const result = await claimAndLook(attempt, taken, { ...scope, signal: ending.signal }, lease);
  lease.lost.removeEventListener("abort", onLost);
  ending.dispose();
  const { lostLock } = lease;
  if (lostLock === undefined || scope.signal.aborted || result.kind === "failed" || result.kind === "looked")
    return result;
  const detail = abortReasonOf(lease.lost).message;
  return {
    kind: "blocked",
    obstacle: { target: lostLock.target, block: undefined },
    sight: { state: "unknown", detail },
  };
}

async function claimAndLook(
  { own, blocks, badge, lookFirst }: Attempt,
  taken: TakenLock[],
  scope: ClaimScope,
  lease: Lease,
): Promise<AttemptResult> {
  const groups = consecutive(own);
  // The original looks first and writes later: only some time after our claim can its lock be seen.
  const settles = [...own, ...blocks.map(({ target }) => target)].some(({ peer }) => peer === "legacy");
  const seen = new Map<Obstacle, Sight>();
  let promoted = true;
  for (const group of groups) {
    // A look in the same trip counts only when it comes after the last claim of all.
    const isLast = group === groups.at(-1) && !settles;
    const onTheWay = isLast ? blocks.filter(({ target }) => sharesTrip(target, group)) : [];
    const isWhole = isLast && groups.length === 1 && onTheWay.length === blocks.length;
    const isMutex = blocks.length === 0 && !settles;
    const manner = isMutex ? "hold" : isWhole ? "settle" : "claim";
    const result = await claimGroup({ group, onTheWay, manner, lookFirst }, badge, taken, scope, lease);
    if (result.kind !== "claimed") return result;
    promoted &&= result.promoted;
    for (const [block, sight] of result.seen) seen.set(block, sight);
  }
  const isClear = seen.size === blocks.length && [...seen.values()].every((sight) => !isInTheWay(sight, badge));
  if (promoted && isClear) return beginLease(taken, scope, lease);
  if (settles && !(await sleep(scope.lease.settleMs, scope))) return { kind: "cancelled" };
  const unseen = blocks.filter((block) => !seen.has(block));
  for (const [block, sight] of await lookAtBlocks(unseen, scope)) seen.set(block, sight);
  if (scope.signal.aborted) return { kind: "cancelled" };
  const look = await waitForYielding(seen, badge, scope);
  return look.kind === "held" ? promoteAll(taken, badge, scope, lease) : look;
}

async function lookAtBlocks(blocks: readonly Obstacle[], scope: ClaimScope): Promise<Map<Obstacle, Sight>> {
  if (blocks.length === 0) return new Map();
  const targets = blocks.map(({ target }) => target);
  const sights = await lookAt(targets, { ...scope, withinMs: lookWithin(blocks, scope) });
  return new Map(blocks.map((block, index) => [block, sights[index] as Sight]));
}

/**
 * Judges the second look. When all that is in the way are claims of lower standing their owners are about to
 * give way: they are given some time. Nothing but a proven absence lets the job go on. Ranks are a total
 * order, and whoever has the higher one never waits here, so that of any number of claims that see each
 * other one goes on; the time is bounded, for a claimer may have died.
 */
async function waitForYielding(
  seen: ReadonlyMap<Obstacle, Sight>,
  badge: Badge,
  scope: ClaimScope,
): Promise<AttemptResult> {
  const { clock, timings } = scope;
  const start = clock.monotonic();
  // The other one may let its own `settle` pass before it looks; it is the same as ours as far as anybody knows.
  const longestMs = scope.lease.settleMs + timings.yieldWaitMs;
  let inTheWay = [...seen].filter(([, sight]) => isInTheWay(sight, badge));
  for (;;) {
    const first = inTheWay[0];
    if (first === undefined) return { kind: "held" };
    const firm = inTheWay.find(([, sight]) => !yields(sight, badge));
    const [obstacle, sight] = firm ?? first;
    if (firm !== undefined || clock.monotonic() - start >= longestMs) return { kind: "blocked", obstacle, sight };
    if (!(await sleep(timings.yieldPollMs, scope))) return { kind: "cancelled" };
    const again = await lookAtBlocks(
      inTheWay.map(([block]) => block),
      scope,
    );
    if (scope.signal.aborted) return { kind: "cancelled" };
    scope.log.debug({ job: scope.jobId, sight: describeSight(sight) }, "waiting for a claim of lower standing");
    inTheWay = [...again].filter(([, state]) => isInTheWay(state, badge));
  }
}

/** A job is never blocked by its own lock: the same file may be in `lock_files` and in `blocks_on`. */
function isInTheWay(sight: Sight, badge: Badge): boolean {
  if (sight.state === "held") return sight.found.record?.token !== badge.token;
  return sight.state === "unknown";
}

/** Whoever still claims with a higher rank sees our claim at its second look, and withdraws. */
function yields(sight: Sight, badge: Badge): boolean {
  if (sight.state !== "held") return false;
  const { record } = sight.found;
  return record !== null && record.state === "claim" && record.rank > badge.rank;
}
