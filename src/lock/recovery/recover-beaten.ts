import { sleep } from "../../base/abort.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { lookAt } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";

/**
 * Which of these locks of an earlier life are touched by somebody, who then has its tokens too: a copy of this
 * machine, or what it was copied from. Each is watched for three of its heartbeats at least, for as long as its
 * host does not answer.
 */
export async function findBeaten(
  locks: readonly TakenLock[],
  signal: AbortSignal,
  { clock, timings }: LockDeps,
): Promise<ReadonlySet<TakenLock>> {
  const beaten = new Set<TakenLock>();
  const first = new Map<TakenLock, { readonly mtime: number; readonly at: number }>();
  let open = locks;
  while (open.length > 0) {
    const targets = open.map(({ target }) => target);
    const sights = await lookAt(targets, { clock, signal, withinMs: undefined });
    if (signal.aborted) return beaten;
    open = open.filter((lock, index) => {
      const sight = sights[index];
      if (sight?.state === "absent") return false;
      if (sight?.state !== "held") return true;
      const { record, mtime } = sight.found;
      if (record?.token !== lock.token) return false;
      const before = first.get(lock) ?? { mtime, at: clock.monotonic() };
      first.set(lock, before);
      if (before.mtime !== mtime) beaten.add(lock);
      const windowMs = Math.max(3000 * record.hb, timings.staleWindowMs);
      return before.mtime === mtime && clock.monotonic() - before.at < windowMs;
    });
    if (open.length > 0 && !(await sleep(timings.stalePollMs, { clock, signal }))) return beaten;
  }
  return beaten;
}
