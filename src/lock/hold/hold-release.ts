import { setMaxListeners } from "node:events";
import type { LockDeps } from "../claim/claim-scope.ts";
import type { HoldSite } from "./hold-plan.ts";
import { declareDead, findWriter, lookUntilGone } from "./hold-watch.ts";
import type { HeldLocks } from "../job-locks.ts";
import { type ProcessTable, watchSurvivors } from "./survivors.ts";

/** The locks of a job that is over, and who may still write. */
export interface PendingRelease {
  readonly held: HeldLocks;
  readonly of: { readonly runId: string; readonly jobId: string };
  /** Where its writers were. None: it had no writers, or they held no lock and nobody can be asked. */
  readonly sites: readonly HoldSite[];
  /** Own processes that could not be killed. */
  readonly survivors: readonly number[];
  /** Called when all are gone, and again when one of them was not. */
  readonly release: HeldLocks["tryRelease"];
}

export interface KeptLocks {
  /** Resolves when the locks are back, or when waiting for that has become too long: to what is wrong, in words. */
  readonly waited: Promise<readonly string[]>;
  /** Resolves when the locks are back or given up. */
  readonly over: Promise<void>;
  /** Stops waiting; the locks are not given back. */
  giveUp(): void;
}

/** Somebody who is in a hurry still does not want a lock left behind for want of a moment. */
const hurriedMs = 3000;

/**
 * Gives a job's locks back when every writer is gone: whoever got them earlier would write beside a
 * process that is still ending, or that hangs. After `writersMs` somebody is told, and the wait goes on.
 */
export function releaseAfterWriters(
  pending: PendingRelease,
  deps: LockDeps & { processes: ProcessTable; hurry?: AbortSignal | undefined },
): KeptLocks {
  const { held, of, sites, survivors } = pending;
  const { clock, timings, events, log, processes, hurry } = deps;
  const survivorsLeft = watchSurvivors(survivors, processes);
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const patience = new AbortController();
  end.signal.addEventListener("abort", () => patience.abort(), { once: true });
  const onHurry = () => void clock.setTimer(hurriedMs, () => patience.abort());

  let given: Awaited<ReturnType<PendingRelease["release"]>> = { troubles: [], inUse: undefined };
  const look: Parameters<typeof lookUntilGone>[0] = async (options) => {
    const hanging = survivorsLeft();
    if (hanging !== undefined) return hanging;
    const living = await findAnywhere(sites, held, { ...options, signal: end.signal });
    if (living !== undefined || end.signal.aborted) return living ?? "it was given up";
    given = await pending.release({ withoutWriters: sites.length === 0 });
    return given.inUse;
  };
  const tell = (detail: string) => {
    for (const { target, token } of held.taken) {
      events.emit("lock:stuck", { ...of, place: target.place, token, detail, at: clock.now() });
    }
    log.error({ run: of.runId, job: of.jobId, detail }, "locks are kept: somebody may still write at the destination");
  };
  const wait = async (withinMs: number, signal: AbortSignal) => lookUntilGone(look, { clock, withinMs, signal });

  let stopWaiting: (troubles: readonly string[]) => void = () => undefined;
  const tooLong = new Promise<readonly string[]>((resolve) => (stopWaiting = resolve));
  const work = async (): Promise<readonly string[]> => {
    if (hurry?.aborted === true) onHurry();
    else hurry?.addEventListener("abort", onHurry, { once: true });
    let left = await wait(timings.writersMs, patience.signal);
    hurry?.removeEventListener("abort", onHurry);
    if (left !== undefined) {
      tell(left);
      stopWaiting([`its locks stay: ${left}`]);
    }
    while (left !== undefined && !end.signal.aborted) left = await wait(timings.writersMs, end.signal);
    return given.troubles;
  };
  const done = work();
  return { waited: Promise.race([done, tooLong]), over: done.then(() => undefined), giveUp: () => end.abort() };
}

/** Who still writes at any of the sites, which are asked at once. */
async function findAnywhere(
  sites: readonly HoldSite[],
  held: HeldLocks,
  options: Parameters<typeof findWriter>[1],
): Promise<string | undefined> {
  const found = await Promise.all(sites.map((site) => findAndFence(site, held, options)));
  return found.find((living) => living !== undefined);
}

/** Who still writes; when nobody does, nobody can begin to any more with this token. */
async function findAndFence(
  { transport, files, fence }: HoldSite,
  { taken }: HeldLocks,
  options: Parameters<typeof findWriter>[1],
): Promise<string | undefined> {
  const watched = { transport, paths: files.map(({ hold }) => hold), fence };
  const writer = await findWriter(watched, options);
  const tokens = [...new Set(taken.map(({ token }) => token))];
  return writer ?? declareDead(watched, tokens, options.signal);
}
