import { beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../../src/config/resolved.ts";
import { createGuardedLocks } from "../../../src/lock/hold/hold-locks.ts";
import { noIntents } from "../../../src/lock/recovery/intents.ts";
import { defaultLockTimings } from "../../../src/lock/lock-timings.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createDirector, memoryTransportPool, remoteLock } from "../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../support/memory-lock-host.ts";
import { buildSync } from "../../support/run-action.ts";

const afterCopy = { survivors: [], atDestination: true };

describe("guarded locks of which one is on another host than the one that is written", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let local: MemoryLockHost;
  let alive: Map<number, number>;
  let hurry: AbortController;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    local = new MemoryLockHost("local", clock);
    alive = new Map();
    hurry = new AbortController();
  });

  const lock = remoteLock("backup", "/locks/a");
  const endpoint = lock.type === "remote" ? lock.endpoint : undefined;
  const push: Partial<Job> = { type: "remote", endpoint, lockFiles: [lock], actions: [buildSync({})] };

  const start = (overrides: Partial<Job> = {}) => {
    const director = createDirector({ hosts: [backup, local], clock });
    const spawned: unknown[] = [];
    const locks = createGuardedLocks({
      locks: director.locks,
      transports: memoryTransportPool([backup, local], clock),
      intents: { ...noIntents, spawned: (_, group) => void spawned.push(group) },
      processes: { startTimeOf: (pid) => alive.get(pid) },
      events: director.events,
      log: director.log,
      clock,
      random: () => 0.5,
      timings: defaultLockTimings,
      hurry: hurry.signal,
    });
    const signal = new AbortController();
    const job = buildJob({ ...push, ...overrides });
    const claim = locks.claim({ job, runId: "run", signal: signal.signal });
    const hold = async () => {
      await clock.advance(0);
      const claimed = await claim;
      if (claimed.kind !== "held") throw new Error(JSON.stringify(claimed));
      return claimed.held;
    };
    return { ...director, locks, signal, claim, hold, spawned };
  };
  /** Advances the clock while a promise is pending; whether it has settled by then. */
  const settlesIn = async (promise: Promise<unknown>, ms: number) => {
    let settled = false;
    void promise.then(() => (settled = true));
    await clock.advance(ms);
    return settled;
  };

  const there: Partial<Job> = { type: "local", endpoint: undefined, lockFiles: [lock], holdDir: "/locks" };
  const holdFile = async (claimed: ReturnType<typeof start>) => {
    const held = await claimed.hold();
    const { fencing } = held;
    const [claim] = fencing.kind === "fenced" ? fencing.holds : [];
    if (claim === undefined) throw new Error(fencing.kind);
    return { held, path: claim.hold, token: claim.token };
  };

  it("say in the lock where others can declare its token dead", async () => {
    const { path } = await holdFile(start(there));
    const entry = backup.files.get("/locks/a");
    expect(typeof entry === "object" && entry.content).toContain(`"fence":{"host":null,"path":"${path}"}`);
  });

  it("declare the token dead before the lock is given back", async () => {
    const { held, path, token } = await holdFile(start(there));
    let dead: boolean | undefined;
    backup.fault = ({ kind }) => {
      if (kind === "release") dead = local.dead.has(`${path} ${token}`);
      return undefined;
    };
    expect(await settlesIn(held.release(afterCopy), 0)).toBe(true);
    expect(dead).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(false);
  });

  it("stay while that cannot be done", async () => {
    const { held, path } = await holdFile(start(there));
    local.fault = ({ kind }) => (kind === "fence" ? "refused" : undefined);
    expect(await settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(true);
    local.fault = () => undefined;
    local.writers.add(path);
    await clock.advance(10_000);
    expect(backup.files.has("/locks/a")).toBe(true);
    local.writers.clear();
    await clock.advance(5000);
    expect(backup.files.has("/locks/a")).toBe(false);
  });

  it("warn once of a lock that a reboot of its host takes away, and of no other", async () => {
    backup.fileSystem = local.fileSystem = "tmpfs";
    const claimed = start(there);
    const { held } = await holdFile(claimed);
    await held.release(afterCopy);
    const again = claimed.locks.claim({
      job: buildJob({ ...push, ...there }),
      runId: "run",
      signal: new AbortController().signal,
    });
    await clock.advance(0);
    expect((await again).kind).toBe("held");
    expect(claimed.log.messages("warn")).toEqual([
      expect.stringContaining("third host is lost when that host is rebooted"),
    ]);
    const beside = start({ lockFiles: [remoteLock("backup", "/locks/b")] });
    await beside.hold();
    expect(beside.log.messages("warn")).toEqual([]);
  });

  it("run unfenced when the account may not write into that file", async () => {
    const { path } = await holdFile(start(there));
    local.readOnly.add(path);
    backup.files.clear();
    const { hold } = start(there);
    expect((await hold()).fencing).toEqual({ kind: "unfenced", reason: expect.stringContaining("may not write") });
  });
});
