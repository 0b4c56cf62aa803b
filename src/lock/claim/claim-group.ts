import { AbortReason, childController } from "../../base/abort.ts";
import type { Badge } from "./claim-badge.ts";
import type { Obstacle } from "./claim-obstacle.ts";
import type { ClaimScope } from "./claim-scope.ts";
import { findTwin } from "./claim-twin.ts";
import { interruptible } from "../interruptible.ts";
import type { Lease } from "../lease/lease.ts";
import type { AcquireAnswer, AcquireResult } from "../transport/lock-transport.ts";
import { lookAt, toSight, type LookTime, type Sight } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

/** What one trip of an attempt is to do: claims on one host, looks and the promotion that go with them. */
export interface GroupTrip {
  readonly group: readonly LockTarget[];
  /** Blocks that are looked at in the same trip, after the claims. */
  readonly onTheWay: readonly Obstacle[];
  /**
   * `claim`: the promotion comes later. `settle`: these are all claims and all blocks, so that it follows in
   * the same trip if nothing is in the way. `hold`: there is nothing to look at, the claim is the lock.
   */
  readonly manner: "claim" | "settle" | "hold";
  /** With `settle`: the first look of all is made in the same trip, and may take so long; undefined: as long as a trip may. */
  readonly lookFirst?: { readonly withinMs: number | undefined } | undefined;
}

export type GroupResult =
  | { readonly kind: "claimed"; readonly seen: ReadonlyMap<Obstacle, Sight>; readonly promoted: boolean }
  | LookedOnly
  | ClaimFailure;

/**
 * The first look found something, and nothing was claimed; or nobody answered, and what may have been claimed is
 * in `taken` and not to be waited for. Sights are those of the blocks and then of the own locks.
 */
export interface LookedOnly {
  readonly kind: "looked";
  readonly sights: readonly Sight[];
}

/**
 * `blocked`: something is in the way, what was taken has to be given back. `failed`: a lock of the job's own
 * cannot be taken, and waiting would not help.
 */
export type ClaimFailure =
  | { readonly kind: "blocked"; readonly obstacle: Obstacle; readonly sight: Sight }
  | { readonly kind: "failed"; readonly target: LockTarget; readonly detail: string }
  | { readonly kind: "cancelled" };

/** Claims the locks of one host; what was taken, or may have been, is added to `taken` as it happens. */
export async function claimGroup(
  trip: GroupTrip,
  badge: Badge,
  taken: TakenLock[],
  scope: ClaimScope,
  lease: Lease,
): Promise<GroupResult> {
  const { group, onTheWay, manner, lookFirst } = trip;
  const { signal, clock } = scope;
  const startedAt = clock.monotonic();
  const { result, late } = await acquireInTime(trip, badge, scope);
  const lostOnTheWay: AcquireAnswer = { kind: "unknown", detail: "", mayHaveRun: true };
  const { claims, checks, promotions } = result ?? {
    claims: group.map(() => lostOnTheWay),
    checks: [],
    promotions: [],
  };
  const note = { token: badge.token, startedAt, taken, lease };
  const twins = group.map((target, index) => {
    const twin = findTwin(target, claims[index], taken);
    const wasRefused = () => isRefusal(late()?.claims[index]);
    if (twin === undefined) record({ target, answer: claims[index], wasRefused }, note, scope);
    // No lock of its own, and given back by either name.
    else if (!twin.isOneName) taken.push({ target, token: badge.token, certain: false });
    return twin;
  });
  if (signal.aborted) return { kind: "cancelled" };
  if (lookFirst !== undefined) {
    const looked = toFirstLook(result, trip, { from: startedAt, until: clock.monotonic() });
    if (looked !== undefined) return { kind: "looked", sights: looked };
  }

  let resolved = false;
  for (const [index, target] of group.entries()) {
    let answer = claims[index] ?? { kind: "not-tried" };
    if (answer.kind === "unknown" && answer.mayHaveRun) {
      answer = await resolveUnknown(target, answer.detail, note, scope);
      if (signal.aborted) return { kind: "cancelled" };
      resolved = true;
    }
    const twin = twins[index];
    if (twin?.isOneName === false) return { kind: "failed", target, detail: twin.detail };
    const failure = toFailure(target, answer, { from: startedAt, until: clock.monotonic() });
    if (failure !== undefined) return failure;
  }
  // What was seen in a trip that went wrong was perhaps seen before the claims were there.
  const seen = new Map<Obstacle, Sight>();
  const looked = { from: startedAt, until: clock.monotonic() };
  if (!resolved) onTheWay.forEach((block, index) => seen.set(block, toSight(checks[index], looked)));
  const exchanged = promotions.length === group.length && promotions.every(({ kind }) => kind === "promoted");
  return { kind: "claimed", seen, promoted: manner === "hold" || (!resolved && exchanged) };
}

interface TimelyAnswer {
  /** Undefined: there was no answer in time. */
  readonly result: AcquireResult | undefined;
  /** The answer, once it has come. */
  readonly late: () => AcquireResult | undefined;
}

async function acquireInTime(trip: GroupTrip, badge: Badge, { signal, clock }: ClaimScope): Promise<TimelyAnswer> {
  const withinMs = trip.lookFirst?.withinMs;
  const ending = childController(signal);
  const expire = () => ending.abort(new AbortReason("timed-out", "the look took too long"));
  const cancelTimer = withinMs === undefined ? undefined : clock.setTimer(withinMs, expire);
  let answer: AcquireResult | undefined;
  const sent = acquire(trip, badge, ending.signal).then((result) => (answer = result));
  const result = await interruptible(sent, ending.signal);
  cancelTimer?.();
  ending.dispose();
  return { result: result.kind === "done" ? result.value : undefined, late: () => answer };
}

/** Whether this is the answer to a claim that took nothing and cannot be carried out any more. */
function isRefusal(answer: AcquireAnswer | undefined): boolean {
  if (answer === undefined || answer.kind === "acquired") return false;
  return answer.kind !== "unknown" || !answer.mayHaveRun;
}

/** What the first look of a trip saw, when it is all that came of it. */
function toFirstLook(
  result: AcquireResult | undefined,
  { group, onTheWay }: GroupTrip,
  time: LookTime,
): Sight[] | undefined {
  const looked = result?.looked?.map((answer) => toSight(answer, time));
  if (looked !== undefined) return [...looked.slice(group.length), ...looked.slice(0, group.length)];
  const details = (result?.claims ?? []).map((answer) => (answer.kind === "unknown" ? answer.detail : undefined));
  if (details.includes(undefined)) return undefined;
  const detail = details[0] ?? "no answer in time";
  return [...onTheWay, ...group].map(() => ({ state: "unknown", detail }));
}

function acquire(
  { group, onTheWay, manner, lookFirst }: GroupTrip,
  badge: Badge,
  signal: AbortSignal,
): Promise<AcquireResult> {
  const { transport } = group[0] as LockTarget;
  const claimWith = (content: string) => group.map(({ path }) => ({ path, token: badge.token, content }));
  const claims = claimWith(manner === "hold" ? badge.held : badge.claim);
  const thenCheck = onTheWay.map(({ target }) => target.path);
  const thenPromote = manner === "settle" ? { thenPromote: claimWith(badge.held) } : {};
  return transport.acquire({ claims, thenCheck, ...thenPromote, ...(lookFirst && { lookFirst: true }) }, signal);
}

interface Note {
  readonly token: string;
  readonly startedAt: number;
  readonly taken: TakenLock[];
  readonly lease: Lease;
}

function record(
  { target, answer, wasRefused }: Pick<TakenLock, "target" | "wasRefused"> & { answer: AcquireAnswer | undefined },
  { token, startedAt, taken, lease }: Note,
  { jobId, runId, events, clock }: ClaimScope,
): void {
  if (answer?.kind === "acquired") {
    const lock = { target, token, certain: true };
    taken.push(lock);
    lease.add(lock, startedAt);
    events.emit("lock:acquired", { jobId, runId, place: target.place, token, at: clock.now() });
  } else if (answer?.kind === "unknown" && answer.mayHaveRun) {
    taken.push({ target, token, certain: false, ...(wasRefused && { wasRefused }) });
  }
}

/**
 * A claim without an answer: the token at the path tells whether it was carried out. Otherwise it is given up:
 * asked for again with the same token, it could bring the lock back to life after somebody has broken it.
 */
async function resolveUnknown(
  target: LockTarget,
  detail: string,
  note: Note,
  scope: ClaimScope,
): Promise<AcquireAnswer> {
  const { token, taken } = note;
  const fields = { job: scope.jobId, host: target.place.host, path: target.path, lock: token, detail };
  scope.log.warn(fields, "lock claim without an answer");
  // A look would find the token there too if this were only another way to that lock; an answer tells.
  if (taken.some((lock) => lock.certain && lock.target.key === target.key)) {
    return { kind: "unknown", detail, mayHaveRun: true };
  }
  const [sight] = await lookAt([target], { ...scope, withinMs: undefined });
  if (sight?.state !== "held" || sight.found.record?.token !== token) {
    if (sight?.state === "held") return { kind: "held", found: sight.found };
    return { kind: "unknown", detail: sight?.state === "unknown" ? sight.detail : detail, mayHaveRun: true };
  }
  const uncertain = taken.findIndex((lock) => lock.target === target && !lock.certain);
  taken.splice(uncertain, 1);
  record({ target, answer: { kind: "acquired" } }, note, scope);
  return { kind: "acquired" };
}

function toFailure(
  target: LockTarget,
  answer: AcquireAnswer,
  seen: LookTime,
): Exclude<ClaimFailure, { kind: "cancelled" }> | undefined {
  const obstacle = { target, block: undefined };
  switch (answer.kind) {
    case "acquired":
      return undefined;
    case "held":
      return { kind: "blocked", obstacle, sight: { state: "held", found: answer.found, seen } };
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

/** Locks that follow each other in the global order and share a transport are claimed in one trip. */
export function consecutive(targets: readonly LockTarget[]): LockTarget[][] {
  const groups: LockTarget[][] = [];
  for (const target of targets) {
    const last = groups.at(-1);
    if (last !== undefined && sharesTrip(target, last)) last.push(target);
    else groups.push([target]);
  }
  return groups;
}

export function sharesTrip(target: LockTarget, group: readonly LockTarget[]): boolean {
  return group[0]?.transport === target.transport;
}
