import { setMaxListeners } from "node:events";
import { sleep } from "../../base/abort.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { areHoldsGone, declareDead, findWriter, lookUntilGone } from "../hold/hold-watch.ts";
import type { IntentBook } from "./intents.ts";
import type { Intent } from "./intents-file.ts";
import type { LockOwner } from "../lock-record.ts";
import { describePlace } from "../look.ts";
import { findBeaten } from "./recover-beaten.ts";
import { findDeadClaims } from "./recover-by-owner.ts";
import { releaseLocks, type TakenLock } from "../release-locks.ts";
import type { LockFile } from "../../config/resolved.ts";
import { type ProcessTable, watchSurvivors } from "../hold/survivors.ts";
import type { TransportPool } from "../transport/transport-pool.ts";

/** The clean-up after an earlier life of this director that did not end in good order. */
export interface Recovery {
  /**
   * Resolves when its processes are stopped and its locks given back, or as many of them as could be
   * within the bound; the rest is tried in the background.
   */
  readonly begun: Promise<void>;
  /** Ends the background work; what is unfinished stays written down for the next start. */
  close(): Promise<void>;
}

export interface RecoveryDeps extends LockDeps {
  readonly intents: IntentBook;
  readonly owner: LockOwner;
  readonly transports: TransportPool;
  readonly processes: ProcessTable;
  /** Stops what is left of a run on this host; returns the processes that cannot be killed. */
  readonly stopLeftovers: (run: Pick<Intent, "runId" | "groups">) => Promise<readonly number[]>;
  /** Every lock file of the configuration, for the case that nothing was written down. */
  readonly configured: readonly LockFile[];
  /** Any lock on each host that the jobs write to, with the account that writes. */
  readonly ways?: readonly LockFile[];
  /** How long the start waits for the locks, once no process is left. */
  readonly boundMs: number;
}

export function startRecovery(deps: RecoveryDeps): Recovery {
  const { intents, clock, boundMs } = deps;
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const stopped = intents.earlier.map((intent) => stopProcesses(intent, deps));
  const settled = intents.earlier.map(async (intent, index) => {
    const survivors = (await stopped[index]) ?? [];
    if (await settle(intent, survivors, end.signal, deps)) intents.settled(intent);
  });
  const unwritten = intents.lost ? recoverUnwritten(end.signal, deps) : nothing;
  const first = Promise.all([...settled, unwritten.looked]);
  const all = Promise.all([...settled, unwritten.over]);
  const begin = async () => {
    await Promise.all(stopped);
    const bound = new AbortController();
    const late = sleep(boundMs, { clock, signal: bound.signal });
    await Promise.race([first, late]);
    bound.abort();
  };
  return {
    begun: begin(),
    close: async () => {
      end.abort();
      await all;
    },
  };
}

function stopProcesses(intent: Intent, { owner, stopLeftovers }: RecoveryDeps): Promise<readonly number[]> {
  // After a reboot, and in another container, the same numbers are other processes.
  return isOfHere(intent, owner) ? stopLeftovers(intent) : Promise.resolve([]);
}

/** Whether this process can see the one that wrote it, and so has proven, by its own start, that it is gone. */
function isOfHere({ boot, pidns }: Intent, owner: LockOwner): boolean {
  return boot === owner.boot && pidns === owner.pidns;
}

/** Whether nothing of the intent is left; false: it was given up because this process ends. */
async function settle(
  intent: Intent,
  survivors: readonly number[],
  signal: AbortSignal,
  deps: RecoveryDeps,
): Promise<boolean> {
  const { transports, clock, timings, log } = deps;
  const targets = await Promise.all(intent.locks.map((lock) => transports.locate(lock)));
  const all: TakenLock[] = intent.tokens.flatMap((token) =>
    targets.map((target) => ({ target, token, certain: true })),
  );
  // Otherwise a copy of this machine may still run, or a second container with the same state directory.
  const isHere = isOfHere(intent, deps.owner);
  const reachable = intent.boot === deps.owner.boot ? all : all.filter(({ target }) => target.transport.host !== null);
  const beaten = isHere ? new Set<TakenLock>() : await findBeaten(reachable, signal, deps);
  if (beaten.size > 0) {
    const fields = {
      run: intent.runId,
      job: intent.jobId,
      locks: [...beaten].map(({ target }) => describePlace(target.place)),
    };
    log.error(
      fields,
      "locks of an earlier life are alive: the state directory was copied, or two use it, and they are left to the other one",
    );
    return true;
  }
  if (!(await waitForLastWriter(intent, survivors, signal, deps))) return false;
  let left = all;
  for (let tries = 0; left.length > 0 && !signal.aborted; tries += 1) {
    const outcomes = await releaseLocks(left, deps);
    left.forEach((lock, index) => report(intent, lock, outcomes[index], { tries, deps }));
    left = left.filter((_, index) => (outcomes[index]?.kind ?? "stuck") === "stuck");
    if (left.length > 0) await sleep(timings.reapEveryMs, { clock, signal });
  }
  if (left.length === 0)
    log.info({ run: intent.runId, job: intent.jobId }, "an unfinished run of an earlier life is cleaned up");
  return left.length === 0;
}

type Outcome = Awaited<ReturnType<typeof releaseLocks>>[number] | undefined;

function report(
  { runId, jobId }: Intent,
  { target, token }: TakenLock,
  outcome: Outcome,
  { tries, deps: { events, clock, log } }: { tries: number; deps: RecoveryDeps },
): void {
  const { place } = target;
  if (outcome !== undefined && outcome.kind !== "stuck") {
    events.emit("lock:recovered", { runId, jobId, place, token, outcome: outcome.kind, at: clock.now() });
    return;
  }
  if (tries > 0) return;
  const detail = outcome?.detail ?? "";
  events.emit("lock:stuck", { runId, jobId, place, token, detail, at: clock.now() });
  log.error(
    { run: runId, job: jobId, lock: describePlace(place), detail },
    "a lock of an earlier life cannot be given back yet",
  );
}

/** The lock protects what a writer may still change: a server at the other end outlives a broken connection. */
async function waitForLastWriter(
  intent: Intent,
  survivors: readonly number[],
  signal: AbortSignal,
  { transports, processes, clock, timings, log }: RecoveryDeps,
): Promise<boolean> {
  const survivorsLeft = watchSurvivors(survivors, processes);
  const { tokens } = intent;
  const sites = await Promise.all(
    (tokens.length === 0 ? [] : intent.holds).map(async ({ at, paths, fence }) => {
      const { transport } = await transports.locate(at);
      return { transport, paths, fence };
    }),
  );
  for (let told = false; !signal.aborted; told = true) {
    const found = await lookUntilGone(
      async (options) => {
        const hanging = survivorsLeft();
        if (hanging !== undefined) return hanging;
        const living = await Promise.all(
          sites.map(async (site) => {
            // As after a reboot of that host. What is only closed to us may well be locked.
            if (await areHoldsGone(site, options)) return undefined;
            return (await findWriter(site, options)) ?? declareDead(site, tokens, signal);
          }),
        );
        return living.find((found) => found !== undefined);
      },
      { clock, withinMs: timings.writersMs, signal },
    );
    if (found === undefined) return true;
    if (!told) log.error({ run: intent.runId, job: intent.jobId, detail: found }, "locks of an earlier life are kept");
  }
  return false;
}

const nothing = { looked: Promise.resolve(), over: Promise.resolve() };

function recoverUnwritten(signal: AbortSignal, deps: RecoveryDeps): typeof nothing {
  return findDeadClaims({
    locks: deps.configured,
    ways: deps.ways ?? [],
    signal,
    deps,
    onFound: async (intent) => {
      const survivors = await stopProcesses(intent, deps);
      await settle(intent, survivors, signal, deps);
    },
  });
}
