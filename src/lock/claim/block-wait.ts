import { abortReasonOf, sleep, type AbortReason } from "../../base/abort.ts";
import { formatDuration } from "../../base/duration.ts";
import type { Block } from "../../config/resolved.ts";
import type { NamedTarget, Obstacle } from "./claim-obstacle.ts";
import type { ClaimScope } from "./claim-scope.ts";
import { backoffDelay, waitDelay } from "../lock-timings.ts";
import { describePlace, describeSight, lookAt, type Sight } from "../look.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

export type WaitResult =
  | { readonly kind: "free" }
  | { readonly kind: "timeout"; readonly block: Block; readonly message: string }
  | { readonly kind: "cancelled"; readonly reason: AbortReason };

/**
 * Waits, holding nothing, until one look proves that all obstacles are absent. A block's
 * timeout counts from the claim's first look, over all its waits; the last look is made at the deadline.
 * `firstLook`: what was just seen of them.
 */
export async function waitUntilFree(
  obstacles: readonly Obstacle[],
  scope: ClaimScope,
  attempts: number,
  firstLook?: readonly Sight[],
): Promise<WaitResult> {
  const { clock, signal, random } = scope;
  let looks = 0;
  let known = firstLook;
  let announced = { key: "", until: 0 };
  const targets = obstacles.map(({ target }) => target);
  // Only what was in the way at the last look can end the wait by its timeout.
  let inTheWay: readonly Obstacle[] = obstacles;
  for (;;) {
    const withinMs = lookWithin(inTheWay, scope);
    const sights = known ?? (await lookAt(targets, { clock, signal, withinMs }));
    known = undefined;
    if (signal.aborted) return { kind: "cancelled", reason: abortReasonOf(signal) };
    const sightOf = (obstacle: Obstacle) => sights[obstacles.indexOf(obstacle)] as Sight;
    inTheWay = obstacles.filter((obstacle) => sightOf(obstacle).state !== "absent");
    const first = inTheWay[0];
    if (first === undefined) return { kind: "free" };
    const seen = inTheWay.map((obstacle) => ({ target: obstacle.target, sight: sightOf(obstacle) }));
    for (const { sight } of seen) if (sight.state === "held") scope.sawToken(sight.found.record?.token ?? "");
    const { broke, lookAgainMs } = await scope.breaker.attend(seen, scope);
    if (signal.aborted) return { kind: "cancelled", reason: abortReasonOf(signal) };
    if (broke) continue;
    const expired = inTheWay.find((obstacle) => hasExpired(obstacle.block, scope));
    if (expired?.block !== undefined) return timedOut(expired.target, expired.block, sightOf(expired));
    const waits = inTheWay.map(({ block }) =>
      block === undefined ? ownDelay(attempts + looks, scope) : waitDelay(block.waitTimeMs, random),
    );
    looks += 1;
    // Looks in between are for the watch; nobody has to hear of each.
    const now = clock.monotonic();
    if (first.target.key !== announced.key || now >= announced.until) {
      scope.announce.blocked(first.target, sightOf(first));
      announced = { key: first.target.key, until: now + 0.8 * Math.min(...waits) };
    }
    const delay = Math.min(...waits, lookAgainMs, timeLeft(inTheWay, scope) ?? Infinity);
    if (!(await sleep(delay, scope))) return { kind: "cancelled", reason: abortReasonOf(signal) };
  }
}

/** Own locks are looked at so often that the watch for a dead owner has no gap. */
function ownDelay(attempts: number, { timings, random }: ClaimScope): number {
  return Math.min(backoffDelay(attempts, timings, random), timings.stalePollMs * (0.8 + 0.2 * random()));
}

/**
 * Lets time pass after an attempt that failed, and goes on watching what may be stale meanwhile: a pause would
 * begin the watch anew. Ends early when something was broken. False: the signal was aborted.
 */
export async function pauseWatching(
  obstacles: readonly Obstacle[],
  delayMs: number,
  scope: ClaimScope,
  failed: { readonly target: NamedTarget; readonly sight: Sight },
): Promise<boolean> {
  const { clock, signal, timings } = scope;
  const end = clock.monotonic() + delayMs;
  let attended = await scope.breaker.attend([failed], scope);
  for (;;) {
    if (signal.aborted) return false;
    const left = end - clock.monotonic();
    if (attended.broke || left <= 0) return true;
    const poll = Math.min(attended.lookAgainMs, timings.stalePollMs);
    if (!(await sleep(Math.min(left, poll), scope))) return false;
    if (left <= poll) return true;
    const sights = await lookAt(
      obstacles.map(({ target }) => target),
      { clock, signal, withinMs: end - clock.monotonic() },
    );
    const looks = obstacles.map(({ target }, index) => ({ target, sight: sights[index] as Sight }));
    attended = await scope.breaker.attend(looks, scope);
  }
}

/** Whether the job has waited for as long as this block allows. */
export function hasExpired(block: Block | undefined, scope: ClaimScope): boolean {
  return block?.timeoutMs !== undefined && scope.clock.monotonic() - scope.firstLookAt >= block.timeoutMs;
}

/** Milliseconds to the nearest deadline, negative when it has passed; undefined: there is none. */
export function timeLeft(obstacles: readonly Obstacle[], scope: ClaimScope): number | undefined {
  const timeouts = obstacles.flatMap(({ block }) => block?.timeoutMs ?? []);
  if (timeouts.length === 0) return undefined;
  return Math.min(...timeouts) - (scope.clock.monotonic() - scope.firstLookAt);
}

/** How long a look may take: to the nearest deadline, or a little beyond it. */
export function lookWithin(obstacles: readonly Obstacle[], scope: ClaimScope): number | undefined {
  const left = timeLeft(obstacles, scope);
  return left === undefined ? undefined : Math.max(left, scope.timings.lastLookMs);
}

export function timedOut(target: LockTarget, block: Block, sight: Sight): WaitResult & { kind: "timeout" } {
  const message = `still blocked by ${describePlace(target.place)} after ${formatDuration(block.timeoutMs ?? 0)}: ${describeSight(sight)}`;
  return { kind: "timeout", block, message };
}
