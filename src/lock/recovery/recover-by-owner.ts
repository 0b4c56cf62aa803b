import { sleep } from "../../base/abort.ts";
import type { LockFile } from "../../config/resolved.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import type { Intent } from "./intents-file.ts";
import type { HoldPlace, LockOwner, LockRecord } from "../lock-record.ts";
import { lookAt } from "../look.ts";
import { mayBeSame } from "../../process/process-group.ts";
import type { ProcessTable } from "../hold/survivors.ts";
import { eachOnce, type TransportPool } from "../transport/transport-pool.ts";

export interface DeadClaimSearch {
  readonly locks: readonly LockFile[];
  /** Further ways to hosts on which a hold lock may be. */
  readonly ways: readonly LockFile[];
  readonly signal: AbortSignal;
  /** Gives the lock back, and all that belongs to it. */
  readonly onFound: (claim: Intent) => Promise<void>;
  readonly deps: LockDeps & { owner: LockOwner; transports: TransportPool; processes: ProcessTable };
}

/**
 * Finds locks that an earlier life of this installation holds, by what is written in them, when the
 * record of what it intended is lost. A host that does not answer is asked again until it does; `looked`
 * resolves after the first look at all of them, when what was found by then is dealt with.
 */
export function findDeadClaims(search: DeadClaimSearch): {
  readonly looked: Promise<void>;
  readonly over: Promise<void>;
} {
  let lookedOnce: () => void = () => undefined;
  const looked = new Promise<void>((resolve) => (lookedOnce = resolve));
  return { looked, over: searchAll(search, lookedOnce).finally(lookedOnce) };
}

async function searchAll(
  { locks, ways, signal, onFound, deps }: DeadClaimSearch,
  lookedOnce: () => void,
): Promise<void> {
  const { transports, clock, timings } = deps;
  const located = await Promise.all(locks.map(async (lock) => ({ lock, target: await transports.locate(lock) })));
  let unseen = eachOnce(located, ({ target }) => target);
  const found: Promise<void>[] = [];
  while (unseen.length > 0 && !signal.aborted) {
    const targets = unseen.map(({ target }) => target);
    const sights = await lookAt(targets, { clock, signal, withinMs: timings.operationMs });
    for (const [index, { lock }] of unseen.entries()) {
      const sight = sights[index];
      const record = sight?.state === "held" ? sight.found.record : null;
      if (record === null || !isOfDeadLife(record.owner, deps)) continue;
      const intent = toIntent(record, lock, [...locks, ...ways]);
      if (intent !== undefined) found.push(onFound(intent));
      else
        deps.log.error(
          { job: record.job, lock: lock.path },
          "a lock of an earlier life stays: no way to its hold lock is configured",
        );
    }
    void Promise.all(found).then(lookedOnce);
    unseen = unseen.filter((_, index) => sights[index]?.state === "unknown");
    if (unseen.length > 0) await sleep(timings.reapEveryMs, { clock, signal });
  }
  await Promise.all(found);
}

/** The same installation on the same machine, but in another boot or in a process that is gone. */
function isOfDeadLife(
  { inst, machine, host, boot, pid, start, pidns }: LockOwner,
  { owner, processes }: { owner: LockOwner; processes: ProcessTable },
): boolean {
  if (inst !== owner.inst || host !== owner.host || machine === "" || machine !== owner.machine) return false;
  if (boot === "" || start === 0 || owner.boot === "") return false;
  return boot !== owner.boot || (pidns === owner.pidns && !mayBeSame(start, processes.startTimeOf(pid)));
}

/** Undefined: nobody can say whether a writer of it is left. */
function toIntent(record: LockRecord, lock: LockFile, known: readonly LockFile[]): Intent | undefined {
  const { run, job, token, owner, fence } = record;
  const { boot, pidns } = owner;
  const life = { boot, ...(pidns !== undefined && { pidns }) };
  const intent = { runId: run, jobId: job, ...life, locks: [lock], tokens: [token], groups: [] };
  if (!record.hold) return { ...intent, holds: [] };
  const beside = { at: lock, paths: [`${lock.path}.hold`] };
  if (fence === undefined) return { ...intent, holds: [beside] };
  const holds = [fence, ...(fence.others ?? [])].map((place) => {
    const at = wayTo(place, known);
    return at === undefined ? undefined : { at, paths: [place.path], fence: place.path };
  });
  return holds.every((site) => site !== undefined) ? { ...intent, holds } : undefined;
}

/** A hold file on this machine, which was the owner's, or on one of the hosts that the configuration leads to. */
function wayTo({ host, port, path }: HoldPlace, known: readonly LockFile[]): LockFile | undefined {
  if (host === null) return { type: "local", path };
  const there = known.find(
    (lock) => lock.type === "remote" && lock.endpoint.host === host && lock.endpoint.port === port,
  );
  return there?.type === "remote" ? { ...there, path } : undefined;
}
