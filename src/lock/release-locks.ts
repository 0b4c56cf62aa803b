import type { Clock } from "../base/clock.ts";
import { AbortReason, sleep } from "../base/abort.ts";
import { safeWord } from "../base/untrusted-text.ts";
import { interruptible } from "./interruptible.ts";
import type { ClaimJournal } from "./claim/claim-journal.ts";
import type { OwnLock, ReleaseAnswer } from "./transport/lock-transport.ts";
import type { LockTimings } from "./lock-timings.ts";
import { describePlace } from "./look.ts";
import type { LockTarget } from "./transport/transport-pool.ts";

/** A lock that this process took, or may have taken. */
export interface TakenLock {
  readonly target: LockTarget;
  readonly token: string;
  /** False: the claim was sent but never answered, so that the file may still appear. */
  readonly certain: boolean;
  /** Whether an answer that nobody waited for has come after all, and says that this claim took nothing and never will. */
  readonly wasRefused?: () => boolean;
}

/** Whether there is no file of this lock, and none can appear any more. */
export function isGone({ certain, wasRefused }: TakenLock, outcome: ReleaseOutcome["kind"]): boolean {
  return outcome === "released" || (certain && outcome !== "stuck") || wasRefused?.() === true;
}

export interface ReleaseOptions {
  readonly clock: Clock;
  readonly timings: LockTimings;
  readonly journal?: ClaimJournal | undefined;
  readonly waitsForWriters?: boolean;
  /** As in `OwnLock`. */
  readonly withoutWriters?: boolean;
}

export type ReleaseOutcome =
  | { readonly kind: "released" | "absent" }
  | { readonly kind: "lost"; readonly detail: string }
  /** `inUse`: a writer at the destination keeps the hold file locked, and the lock stays until it is gone. */
  | { readonly kind: "stuck"; readonly detail: string; readonly inUse?: true };

/**
 * Gives locks back, newest first, each only by its token. It does not listen to any signal: it is what
 * is done after one. Whatever a host does not confirm before the deadline is `stuck`. Outcomes are in the
 * order of the locks. `waitsForWriters`: somebody else waits until no writer is left and calls again.
 */
export async function releaseLocks(locks: readonly TakenLock[], options: ReleaseOptions): Promise<ReleaseOutcome[]> {
  const outcomes = new Map<TakenLock, ReleaseOutcome>();
  for (const group of neighbours(locks.toReversed())) await releaseGroup(group, outcomes, options);
  return locks.map((lock) => outcomes.get(lock) ?? { kind: "stuck", detail: "it was not tried" });
}

/** Locks of one host that follow each other: they cost one trip together. */
function neighbours(locks: readonly TakenLock[]): TakenLock[][] {
  const groups: TakenLock[][] = [];
  for (const lock of locks) {
    const last = groups.at(-1);
    if (last?.[0]?.target.transport === lock.target.transport) last.push(lock);
    else groups.push([lock]);
  }
  return groups;
}

async function releaseGroup(
  group: readonly TakenLock[],
  outcomes: Map<TakenLock, ReleaseOutcome>,
  { clock, timings, waitsForWriters = false, withoutWriters = false, journal }: ReleaseOptions,
): Promise<void> {
  const deadline = new AbortController();
  const expire = () => deadline.abort(new AbortReason("timed-out", "the deadline for giving locks back"));
  const cancelTimer = clock.setTimer(timings.releaseDeadlineMs, expire);
  const { signal } = deadline;
  /** Locks whose removal may have been carried out without an answer: to find them gone is no loss. */
  const inDoubt = new Set<TakenLock>();
  let pending = [...group];
  for (const lock of pending) outcomes.set(lock, { kind: "stuck", detail: "no answer in time" });
  while (pending.length > 0) {
    const { transport } = (pending[0] as TakenLock).target;
    const own = pending.map((lock) => ({ ...toOwnLock(lock, journal), ...(withoutWriters && { withoutWriters }) }));
    const trip = await interruptible(transport.release(own, signal), signal);
    if (trip.kind === "interrupted") break;
    pending.forEach((lock, index) => {
      const answer = trip.value[index];
      const wasDone = inDoubt.has(lock) && (answer?.kind === "absent" || answer?.kind === "lost");
      outcomes.set(lock, wasDone ? { kind: "released" } : toOutcome(answer, lock));
      if (lock.certain && answer?.kind === "unknown" && answer.mayHaveRun) inDoubt.add(lock);
    });
    pending = pending.filter((lock) => isPending(lock, outcomes.get(lock), waitsForWriters));
    if (pending.length > 0 && !(await sleep(timings.releaseRetryMs, { signal, clock }))) break;
  }
  cancelTimer();
}

function isPending(lock: TakenLock, outcome: ReleaseOutcome | undefined, waitsForWriters: boolean): boolean {
  if (outcome?.kind !== "stuck" || isGone(lock, outcome.kind)) return false;
  return !(waitsForWriters && outcome.inUse === true);
}

function toOwnLock({ target, token }: TakenLock, journal: ClaimJournal | undefined): OwnLock {
  const own = { path: target.path, token };
  if (journal === undefined) return own;
  const { key } = target;
  return {
    ...own,
    mayUnlink: () => journal.unlinking(token, key),
    unlinkAnswered: () => journal.unlinkAnswered(token, key),
  };
}

function toOutcome(answer: ReleaseAnswer | undefined, lock: TakenLock): ReleaseOutcome {
  switch (answer?.kind) {
    case "released":
    case "absent":
      return { kind: answer.kind };
    case "lost":
      return { kind: "lost", detail: `the file now belongs to ${safeWord(answer.found.owner) || "somebody else"}` };
    case "in-use":
      return { kind: "stuck", inUse: true, detail: `a writer keeps ${describePlace(lock.target.place)}.hold locked` };
    case "busy":
      return { kind: "stuck", detail: `another operation keeps ${describePlace(lock.target.place)}.guard locked` };
    case "error":
    case "unknown":
      return { kind: "stuck", detail: answer.detail };
    default:
      return { kind: "stuck", detail: "no answer" };
  }
}
