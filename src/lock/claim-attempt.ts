import { sleep } from "../base/abort.ts";
import { lockFields } from "./lock-fields.ts";
import type { ClaimScope } from "./claim-scope.ts";
import { timeLeft, type Obstacle } from "./block-wait.ts";
import { interruptible } from "./interruptible.ts";
import type { AcquireAnswer, CheckAnswer, FoundLock } from "./lock-transport.ts";
import { describeSight, lookAt, toSight, type Sight } from "./look.ts";
import type { TakenLock } from "./release-locks.ts";
import type { LockTarget } from "./transport-pool.ts";

/** What one attempt claims with. */
export interface Badge {
  readonly token: string;
  readonly rank: string;
  /** The content of every lock file of this attempt. */
  readonly content: string;
}

export type AttemptResult =
  | { readonly kind: "held" }
  /** Something is in the way: what was taken has to be given back. */
  | { readonly kind: "blocked"; readonly obstacle: Obstacle; readonly sight: Sight }
  /** A lock of the job's own cannot be taken, and waiting would not help. */
  | { readonly kind: "failed"; readonly target: LockTarget; readonly detail: string }
  | { readonly kind: "cancelled" };

/**
 * One attempt: claims the job's locks in their global order and then looks at the
 * blocks again. Everything that was taken, or may have been, is added to `taken` as it happens; giving it
 * back after any result but `held` is up to the caller.
 */
export async function attemptClaim(
  attempt: { own: readonly LockTarget[]; blocks: readonly Obstacle[]; badge: Badge },
  taken: TakenLock[],
  scope: ClaimScope,
): Promise<AttemptResult> {
  const { own, blocks, badge } = attempt;
  const groups = consecutive(own);
  let seen = new Map<Obstacle, Sight>();
  for (const group of groups) {
    // A look in the same trip counts only when it comes after the last claim of all.
    const onTheWay = group === groups.at(-1) ? blocks.filter(({ target }) => sharesTrip(target, group)) : [];
    const result = await claimGroup(group, onTheWay, badge, taken, scope);
    if (result.kind !== "claimed") return result;
    seen = result.seen;
  }
  const unseen = blocks.filter((block) => !seen.has(block));
  for (const [block, sight] of await lookAtBlocks(unseen, scope)) seen.set(block, sight);
  if (scope.signal.aborted) return { kind: "cancelled" };
  return waitForYielding(seen, badge, scope);
}

type GroupResult =
  { readonly kind: "claimed"; readonly seen: Map<Obstacle, Sight> } | Exclude<AttemptResult, { kind: "held" }>;

async function claimGroup(
  group: readonly LockTarget[],
  onTheWay: readonly Obstacle[],
  badge: Badge,
  taken: TakenLock[],
  scope: ClaimScope,
): Promise<GroupResult> {
  const { signal } = scope;
  const claims = group.map(({ path }) => ({ path, token: badge.token, content: badge.content }));
  const request = { claims, thenCheck: onTheWay.map(({ target }) => target.path) };
  const { transport } = group[0] as LockTarget;
  const trip = await interruptible(transport.acquire(request, signal), signal);
  const answers: readonly AcquireAnswer[] =
    trip.kind === "done" ? trip.value.claims : group.map(() => ({ kind: "unknown", detail: "", mayHaveRun: true }));
  const checks: readonly CheckAnswer[] = trip.kind === "done" ? trip.value.checks : [];
  group.forEach((target, index) => record(target, answers[index], badge.token, taken, scope));
  if (signal.aborted) return { kind: "cancelled" };

  let resolved = false;
  for (const [index, target] of group.entries()) {
    let answer = answers[index] ?? { kind: "not-tried" };
    if (answer.kind === "unknown" && answer.mayHaveRun) {
      answer = await resolveUnknown(target, answer.detail, badge.token, taken, scope);
      if (signal.aborted) return { kind: "cancelled" };
      resolved = true;
    }
    const failure = toFailure(target, answer);
    if (failure !== undefined) return failure;
  }
  // What was seen in a trip that went wrong was perhaps seen before the claims were there.
  const seen = new Map<Obstacle, Sight>();
  if (!resolved) onTheWay.forEach((block, index) => seen.set(block, toSight(checks[index])));
  return { kind: "claimed", seen };
}

function record(
  target: LockTarget,
  answer: AcquireAnswer | undefined,
  token: string,
  taken: TakenLock[],
  scope: ClaimScope,
): void {
  const { jobId, runId, events, clock } = scope;
  if (answer?.kind === "acquired") {
    taken.push({ target, token, certain: true });
    events.emit("lock:acquired", { jobId, runId, place: target.place, token, at: clock.now() });
  } else if (answer?.kind === "unknown" && answer.mayHaveRun) {
    taken.push({ target, token, certain: false });
  }
}

/** A claim without an answer: the token at the path tells whether it was carried out. */
async function resolveUnknown(
  target: LockTarget,
  detail: string,
  token: string,
  taken: TakenLock[],
  scope: ClaimScope,
): Promise<AcquireAnswer> {
  const fields = { ...lockFields(scope, target.place, token), detail };
  scope.log.warn(fields, "lock claim without an answer");
  const [sight] = await lookAt([target], { ...scope, withinMs: undefined });
  if (sight?.state !== "held" || sight.found.record?.token !== token) {
    if (sight?.state === "held") return { kind: "held", found: sight.found };
    return { kind: "unknown", detail: sight?.state === "unknown" ? sight.detail : detail, mayHaveRun: true };
  }
  const uncertain = taken.findIndex((lock) => lock.target === target && !lock.certain);
  taken.splice(uncertain, 1);
  record(target, { kind: "acquired" }, token, taken, scope);
  return { kind: "acquired" };
}

function toFailure(
  target: LockTarget,
  answer: AcquireAnswer,
): Exclude<AttemptResult, { kind: "held" | "cancelled" }> | undefined {
  const obstacle = { target, block: undefined };
  switch (answer.kind) {
    case "acquired":
      return undefined;
    case "held":
      return { kind: "blocked", obstacle, sight: { state: "held", found: answer.found } };
    case "busy":
      return { kind: "blocked", obstacle, sight: { state: "unknown", detail: "another operation on it does not end" } };
    case "error":
      return { kind: "failed", target, detail: answer.detail };
    case "unknown":
      return { kind: "blocked", obstacle, sight: { state: "unknown", detail: answer.detail } };
    case "not-tried":
      return { kind: "blocked", obstacle, sight: { state: "unknown", detail: "it was not tried" } };
  }
}

async function lookAtBlocks(blocks: readonly Obstacle[], scope: ClaimScope): Promise<Map<Obstacle, Sight>> {
  if (blocks.length === 0) return new Map();
  const targets = blocks.map(({ target }) => target);
  const left = timeLeft(blocks, scope);
  const withinMs = left === undefined ? undefined : Math.max(left, scope.timings.lastLookMs);
  const sights = await lookAt(targets, { ...scope, withinMs });
  return new Map(blocks.map((block, index) => [block, sights[index] as Sight]));
}

/**
 * Judges the second look. When all that is in the way are claims of lower standing, made just now, their
 * owners are about to give way: they are given some time. Nothing but a proven absence lets the job go on.
 */
async function waitForYielding(
  seen: ReadonlyMap<Obstacle, Sight>,
  badge: Badge,
  scope: ClaimScope,
): Promise<AttemptResult> {
  const { clock, timings } = scope;
  const start = clock.monotonic();
  let inTheWay = [...seen].filter(([, sight]) => blocks(sight, badge));
  for (;;) {
    const first = inTheWay[0];
    if (first === undefined) return { kind: "held" };
    const firm = inTheWay.find(([, sight]) => !yields(sight, badge, timings.yieldWaitMs));
    const [obstacle, sight] = firm ?? first;
    if (firm !== undefined || clock.monotonic() - start >= timings.yieldWaitMs)
      return { kind: "blocked", obstacle, sight };
    if (!(await sleep(timings.yieldPollMs, scope))) return { kind: "cancelled" };
    const again = await lookAtBlocks(
      inTheWay.map(([block]) => block),
      scope,
    );
    if (scope.signal.aborted) return { kind: "cancelled" };
    scope.log.debug({ job: scope.jobId, sight: describeSight(sight) }, "waiting for a claim of lower standing");
    inTheWay = [...again].filter(([, state]) => blocks(state, badge));
  }
}

/** A job is never blocked by its own lock: the same file may be in `lock_files` and in `blocks_on`. */
function blocks(sight: Sight, badge: Badge): boolean {
  if (sight.state === "held") return sight.found.record?.token !== badge.token;
  return sight.state === "unknown";
}

/** The file does not say whether its owner is still claiming, but a lock so young may well be a claim. */
function yields(sight: Sight, badge: Badge, youngMs: number): boolean {
  if (sight.state !== "held") return false;
  const { record, ageSeconds }: FoundLock = sight.found;
  if (record === null || record.rank <= badge.rank) return false;
  return record.state === "claim" || ageSeconds * 1000 <= youngMs;
}

/** Locks that follow each other in the global order and share a transport are claimed in one trip. */
function consecutive(targets: readonly LockTarget[]): LockTarget[][] {
  const groups: LockTarget[][] = [];
  for (const target of targets) {
    const last = groups.at(-1);
    if (last !== undefined && sharesTrip(target, last)) last.push(target);
    else groups.push([target]);
  }
  return groups;
}

function sharesTrip(target: LockTarget, group: readonly LockTarget[]): boolean {
  return group[0]?.transport === target.transport;
}
