import { createGuardedLocks } from "../../../../src/lock/hold/hold-locks.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { type NewIntent, noIntents } from "../../../../src/lock/recovery/intents.ts";
import { buildJob, type JobDraft } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createDirector, memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { buildSync } from "../../../support/run-action.ts";

/** What a job says that has written and left nobody behind. */
export const afterCopy = { survivors: [], atTargets: ["backup", "local"] };

/** The lock of `pushJob`, at its destination. */
export const pushLock = remoteLock("backup", "/locks/a");

/** What of a job makes it a push to the host `backup`. */
export const pushJob: JobDraft = {
  type: "remote",
  endpoint: pushLock.type === "remote" ? pushLock.endpoint : undefined,
  lockFiles: [pushLock],
  actions: [buildSync({})],
};

export type HoldWorld = ReturnType<typeof createHoldWorld>;

/** This host, hosts to push to, and the groups of processes that are `alive` here, by id with their start time. */
export function createHoldWorld({ others = [] }: { others?: readonly string[] } = {}) {
  const clock = new FakeClock();
  const backup = new MemoryLockHost("backup", clock);
  const local = new MemoryLockHost("local", clock);
  const hosts = [backup, local, ...others.map((name) => new MemoryLockHost(name, clock))];
  const alive = new Map<number, number>();
  const hurry = new AbortController();

  /** A director that claims the locks of one job. */
  const start = (overrides: JobDraft = {}) => {
    const director = createDirector({ hosts, clock });
    const spawned: unknown[] = [];
    const intents: NewIntent[] = [];
    const locks = createGuardedLocks({
      locks: director.locks,
      transports: memoryTransportPool(hosts, clock),
      intents: {
        ...noIntents,
        begin: (intent) => void intents.push(intent),
        spawned: (_, group) => void spawned.push(group),
      },
      processes: { startTimeOf: (pid) => alive.get(pid) },
      events: director.events,
      log: director.log,
      clock,
      random: () => 0.5,
      timings: defaultLockTimings,
      hurry: hurry.signal,
    });
    const signal = new AbortController();
    const job = buildJob({ ...pushJob, ...overrides });
    const claimAgain = () => locks.claim({ job, runId: "run", signal: signal.signal });
    const claim = claimAgain();
    const hold = async () => {
      await clock.advance(0);
      const claimed = await claim;
      if (claimed.kind !== "held") throw new Error(JSON.stringify(claimed));
      return claimed.held;
    };
    return { ...director, locks, signal, claim, claimAgain, hold, spawned, intents };
  };
  /** Advances the clock while a promise is pending; whether it has settled by then. */
  const settlesIn = async (promise: Promise<unknown>, ms: number) => {
    let settled = false;
    void promise.then(() => (settled = true));
    await clock.advance(ms);
    return settled;
  };
  const host = (name: string): MemoryLockHost => {
    const found = hosts.find((each) => each.name === name);
    if (found === undefined) throw new Error(`the world has no host ${name}`);
    return found;
  };
  return { clock, backup, local, host, alive, hurry, start, settlesIn };
}
