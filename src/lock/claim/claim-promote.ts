import type { Badge } from "./claim-badge.ts";
import type { ClaimFailure } from "./claim-group.ts";
import type { ClaimScope } from "./claim-scope.ts";
import { interruptible } from "../interruptible.ts";
import type { Lease } from "../lease/lease.ts";
import type { PromoteAnswer } from "../transport/lock-transport.ts";
import { lookAt, type Sight } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";

/** Whether all locks of a group are held now. */
type Promotion = { readonly kind: "held" } | ClaimFailure;

/** A promotion without an answer is tried again so often: it changes nothing when it was carried out. */
const tries = 3;

/**
 * Turns all claims of an attempt into held locks, one trip per host. A promotion proves that the claim has been
 * there all the time: a token is written only once.
 */
export async function promoteAll(
  taken: readonly TakenLock[],
  badge: Badge,
  scope: ClaimScope,
  lease: Lease,
): Promise<Promotion> {
  const hosts = new Set(taken.map(({ target }) => target.transport));
  const groups = [...hosts].map((host) => taken.filter(({ target }) => target.transport === host));
  const results = await Promise.all(groups.map((group) => promoteGroup(group, badge, scope, lease)));
  if (scope.signal.aborted) return { kind: "cancelled" };
  const failure = results.find(({ kind }) => kind !== "held");
  return failure ?? beginLease(taken, scope, lease);
}

/** All locks are held: they get their full times, once each was confirmed not too long ago. */
export async function beginLease(taken: readonly TakenLock[], scope: ClaimScope, lease: Lease): Promise<Promotion> {
  lease.hold();
  const { ttlMs, renewDeadlineMs } = scope.lease;
  if (ttlMs === 0 || (await lease.refresh(renewDeadlineMs / 2))) return { kind: "held" };
  if (scope.signal.aborted) return { kind: "cancelled" };
  return blockedBy(taken[0] as TakenLock, { state: "unknown", detail: "it could not be confirmed in time" });
}

async function promoteGroup(
  group: readonly TakenLock[],
  badge: Badge,
  scope: ClaimScope,
  lease: Lease,
): Promise<Promotion> {
  const { signal, clock } = scope;
  let pending = [...group];
  let result: Promotion = { kind: "held" };
  for (let attempt = 0; attempt < tries && pending.length > 0; attempt += 1) {
    const startedAt = clock.monotonic();
    const claims = pending.map(({ target }) => ({ path: target.path, token: badge.token, content: badge.held }));
    const { transport } = (pending[0] as TakenLock).target;
    const trip = await interruptible(transport.promote(claims, signal), signal);
    if (trip.kind === "interrupted" || signal.aborted) return { kind: "cancelled" };
    const failures = pending.map((lock, index) => toFailure(lock, trip.value[index]));
    pending.forEach((lock, index) => failures[index] === undefined && lease.confirm(lock, startedAt));
    const final = failures.find((failure) => failure !== undefined && failure.kind !== "unknown");
    if (final !== undefined) return final;
    pending = pending.filter((_, index) => failures[index] !== undefined);
    if (pending.length === 0) return { kind: "held" };
    const seen = await resolve(pending, badge, scope);
    if (signal.aborted) return { kind: "cancelled" };
    if (seen.kind === "blocked") return seen;
    pending.forEach((lock) => seen.done.has(lock) && lease.confirm(lock, startedAt));
    pending = pending.filter((lock) => !seen.done.has(lock));
    result = blockedBy(pending[0] ?? (group[0] as TakenLock), { state: "unknown", detail: "it could not be promoted" });
  }
  return pending.length === 0 ? { kind: "held" } : result;
}

function toFailure(
  lock: TakenLock,
  answer: PromoteAnswer | undefined,
): Exclude<ClaimFailure, { kind: "cancelled" }> | { readonly kind: "unknown" } | undefined {
  switch (answer?.kind) {
    case "promoted":
      return undefined;
    case "absent":
      return blockedBy(lock, { state: "unknown", detail: "the claim is gone" });
    case "lost":
      return blockedBy(lock, { state: "held", found: answer.found });
    case "busy":
      return blockedBy(lock, { state: "unknown", detail: "another operation on it does not end" });
    case "error":
      return { kind: "failed", target: lock.target, detail: answer.detail };
    default:
      return { kind: "unknown" };
  }
}

/** Promotions without an answer: the files tell which of them were carried out. */
async function resolve(
  pending: readonly TakenLock[],
  badge: Badge,
  scope: ClaimScope,
): Promise<{ readonly kind: "seen"; readonly done: ReadonlySet<TakenLock> } | (ClaimFailure & { kind: "blocked" })> {
  const sights = await lookAt(
    pending.map(({ target }) => target),
    { ...scope, withinMs: undefined },
  );
  const done = new Set<TakenLock>();
  for (const [index, lock] of pending.entries()) {
    const sight = sights[index] as Sight;
    if (sight.state === "absent") return blockedBy(lock, { state: "unknown", detail: "the claim is gone" });
    if (sight.state === "unknown" || sight.found.record?.token !== badge.token) return blockedBy(lock, sight);
    if (sight.found.record.state === "held") done.add(lock);
  }
  return { kind: "seen", done };
}

function blockedBy({ target }: TakenLock, sight: Sight): ClaimFailure & { kind: "blocked" } {
  return { kind: "blocked", obstacle: { target, block: undefined }, sight };
}
