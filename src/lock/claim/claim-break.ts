import type { NamedTarget, SeenObstacle, StaleBreaker, Waiter } from "./claim-obstacle.ts";
import type { LockDeps } from "./claim-scope.ts";
import { interruptible } from "../interruptible.ts";
import type { BreakAnswer, FoundLock } from "../transport/lock-transport.ts";
import type { LockRecord } from "../lock-record.ts";
import { describePlace, describeSight, type LookTime } from "../look.ts";
import { createStaleWatch, type Verdict } from "../lease/stale-watch.ts";
import type { OwnerProbe } from "../lease/stale-watch-owner.ts";
import type { LockLease } from "../../config/resolved.ts";
import type { DirectorEvents } from "../../model/events.ts";

interface Seen {
  readonly target: NamedTarget;
  readonly found: FoundLock;
}

export function createStaleBreaker(deps: LockDeps & { owners: OwnerProbe }): StaleBreaker {
  const { timings, random, events, clock, owners } = deps;
  const watch = createStaleWatch(timings);
  /** The last answer to each lock that could not be broken: it is logged once. */
  const refusals = new Map<string, string>();

  const judge = async (target: NamedTarget, found: FoundLock, seen: LookTime, lease: LockLease): Promise<Verdict> => {
    const { foreignStaleAfterMs } = target;
    const verdict = watch.observe(target.key, found, seen, { lease, foreignStaleAfterMs });
    const { record } = found;
    const here = target.transport.host === null;
    if (!here || !lease.breakStale || record === null || record.ttl === 0) return verdict;
    if (!(await owners.isDead(record))) return verdict;
    return { kind: "stale", observedMs: 0, because: "its owner on this machine is dead" };
  };
  const breakLock = async ({ target, found }: Seen, { reachFence, signal }: Waiter) => {
    const { transport, path } = target;
    const { record, mtime } = found;
    if (record !== null) {
      const refusal = await killToken(record, reachFence, signal);
      return refusal ?? transport.break({ path, token: record.token, mtime }, signal);
    }
    const seen = await transport.fingerprint(path, signal);
    if (seen.kind !== "fingerprint") return seen;
    if (seen.found.mtime !== mtime || seen.found.record !== null)
      return { kind: "changed", found: seen.found } as const;
    return transport.breakForeign({ path, sha256: seen.sha256, mtime }, signal);
  };
  const attendOne = async (
    { target, sight }: SeenObstacle,
    waiter: Waiter,
  ): Promise<{ broke: boolean; lookAgainMs: number }> => {
    if (sight.state !== "held" || sight.seen === undefined) return { broke: false, lookAgainMs: Infinity };
    const { found } = sight;
    const { jobId, runId, signal, lease } = waiter;
    const verdict = await judge(target, found, sight.seen, lease);
    if (verdict.kind === "live") return { broke: false, lookAgainMs: verdict.lookAgainMs };
    const trip = await interruptible(breakLock({ target, found }, waiter), signal);
    const answer: BreakAnswer =
      trip.kind === "done" ? trip.value : { kind: "unknown", detail: "interrupted", mayHaveRun: true };
    const { key, place } = target;
    if (answer.kind === "broken") {
      refusals.delete(key);
      const { observedMs, because } = verdict;
      const { ageSeconds, record } = found;
      const [token, owner] = [record?.token ?? "", describeSight(sight)];
      const facts = { place, token, owner, ageSeconds, observedMs, because };
      events.emit("lock:broken", { jobId, runId, ...facts, at: clock.now() });
    } else if (answer.kind !== "absent" && refusals.get(key) !== answer.kind) {
      refusals.set(key, answer.kind);
      const { ageSeconds, record } = found;
      const facts = { place, token: record?.token ?? "", owner: describeSight(sight), ageSeconds };
      events.emit("lock:spared", { jobId, runId, ...facts, ...detailOf(answer), at: clock.now() });
    }
    return { broke: answer.kind === "broken" || answer.kind === "absent", lookAgainMs: timings.stalePollMs };
  };

  return {
    attend: async (looks, of) => {
      const results = await Promise.all(looks.map((seen) => attendOne(seen, of)));
      const lookAgainMs = Math.min(...results.map((result) => result.lookAgainMs));
      // A little early and not all at once: a pause that is too long would begin the observation anew.
      return { broke: results.some(({ broke }) => broke), lookAgainMs: lookAgainMs * (0.8 + 0.2 * random()) };
    },
  };
}

/**
 * Has the host that is written let in no more writers of a lock, when its hold lock is there and not beside the
 * lock file: breaking that would tell them nothing. Returns why the lock must not be broken.
 */
async function killToken(
  record: LockRecord,
  reachFence: Waiter["reachFence"],
  signal: AbortSignal,
): Promise<BreakAnswer | undefined> {
  if (!record.hold || record.fence === undefined) return undefined;
  const way = await reachFence(record);
  if (way === undefined) {
    const host = record.fence.host ?? record.owner.host;
    const detail = `its hold lock is on ${host}, which this job's configuration does not lead to: whether a writer lives there cannot be told`;
    return { kind: "unsupported", detail };
  }
  const answer = await way.transport.fence({ path: way.path, token: record.token }, signal);
  switch (answer.kind) {
    case "fenced":
      return undefined;
    case "in-use":
      return answer;
    default:
      return { ...answer, detail: `its hold lock ${describePlace(way.place)}: ${answer.detail}` };
  }
}

/** Why a lock that looks stale was left alone. */
function detailOf(answer: Exclude<BreakAnswer, { kind: "broken" | "absent" }>): {
  cause: DirectorEvents["lock:spared"]["cause"];
  detail: string;
} {
  switch (answer.kind) {
    case "in-use":
      return { cause: answer.kind, detail: "a writer at its destination is still alive" };
    case "changed":
      return { cause: answer.kind, detail: "it has changed meanwhile" };
    case "busy":
      return { cause: answer.kind, detail: "another operation on it does not end" };
    case "error":
    case "unknown":
    case "unsupported":
      return { cause: answer.kind, detail: answer.detail };
  }
}
