import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import type { Job } from "../../../../src/config/resolved.ts";
import { createGuardedLocks } from "../../../../src/lock/hold/hold-locks.ts";
import { noIntents } from "../../../../src/lock/recovery/intents.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createDirector, lockContent, memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { buildSync } from "../../../support/run-action.ts";

const afterCopy = { survivors: [], atDestination: true };

describe("guarded locks", () => {
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

  it("hand the writer the hold file, the lock file and the token that is in it", async () => {
    const { hold, events } = start();
    const { fencing } = await hold();
    const token = events.of("lock:acquired")[0]?.token;
    expect(fencing).toEqual({ kind: "fenced", holds: [{ hold: "/locks/a.hold", lock: "/locks/a", token }] });
    expect(events.of("job:fencing")).toMatchObject([{ jobId: "job", fencing: "fenced", reason: null }]);
    const entry = backup.files.get("/locks/a");
    expect(typeof entry === "object" && entry.content).toContain('"hold":true');
  });

  it("run unfenced, and say why, where the host says that there can be no hold lock", async () => {
    const { hold, events } = start({ lockFiles: [{ type: "local", path: "/locks/x" }], holdDir: "/missing" });
    expect((await hold()).fencing).toEqual({ kind: "unfenced", reason: expect.stringContaining("directory does not") });
    expect(events.of("job:fencing")).toMatchObject([
      { fencing: "unfenced", reason: expect.stringMatching(/^\/missing\//) },
    ]);
    const entry = local.files.get("/locks/x");
    expect(typeof entry === "object" && entry.content).toContain('"hold":false');
  });

  it("fail a job that requires the hold lock there, before anything is locked", async () => {
    const { claim } = start({
      lockFiles: [{ type: "local", path: "/locks/x" }],
      holdDir: "/missing",
      hold: "required",
    });
    await clock.advance(0);
    expect(await claim).toMatchObject({ kind: "failed", message: expect.stringContaining("/missing/") });
    expect(local.files.size).toBe(0);
  });

  it("are fenced all the same when the host gives no answer to that question", async () => {
    backup.fault = ({ kind }) => (kind === "holds" ? "before" : undefined);
    const { claim } = start({ hold: "required" });
    await clock.advance(20_000);
    expect(await claim).toMatchObject({ kind: "held", held: { fencing: { kind: "fenced" } } });
  });

  it("need no question, and say nothing, for a job without lock files or copies", async () => {
    const { hold } = start({ lockFiles: [] });
    expect((await hold()).fencing).toEqual({ kind: "none" });
    expect(backup.operations).toBe(0);
  });

  it("stop at once when the job is cancelled while a silent host is asked", async () => {
    backup.silent = true;
    const { claim, signal } = start();
    await clock.advance(1000);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await clock.advance(0);
    expect(await claim).toMatchObject({ kind: "cancelled", reason: { kind: "shutdown" } });
  });

  it("are given back only when the last writer at the destination is gone", async () => {
    const { hold, events } = start();
    const held = await hold();
    backup.writers.add("/locks/a.hold");
    const released = held.release(afterCopy);
    expect(await settlesIn(released, 30_000)).toBe(false);
    expect(backup.files.has("/locks/a")).toBe(true);
    backup.writers.clear();
    expect(await settlesIn(released, 2000)).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it("are kept and reported when a writer stays for a minute, and given back when it goes", async () => {
    const { hold, events, log } = start();
    const held = await hold();
    backup.writers.add("/locks/a.hold");
    expect(await settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([
      { place: { path: "/locks/a" }, detail: expect.stringContaining("a writer is still alive at the destination") },
    ]);
    expect(log.messages("error")).toHaveLength(1);
    await clock.advance(600_000);
    expect(backup.files.has("/locks/a")).toBe(true);
    expect(log.messages("error")).toHaveLength(1);
    backup.writers.clear();
    await clock.advance(5000);
    expect(backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:released")).toHaveLength(1);
  });

  it("are kept while nobody can say whether a writer lives", async () => {
    const { hold } = start();
    const held = await hold();
    backup.fault = ({ kind }) => (kind === "holds" ? "refused" : undefined);
    expect(await settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(true);
    backup.fault = () => undefined;
    await clock.advance(5000);
    expect(backup.files.has("/locks/a")).toBe(false);
  });

  it("are kept while a process lives that could not be killed, but not for a stranger with its number", async () => {
    const { hold, events } = start({ hold: "off" });
    const held = await hold();
    alive.set(77, 5000);
    const released = held.release({ survivors: [77], atDestination: false });
    expect(await settlesIn(released, 60_000)).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([{ detail: "processes 77 cannot be killed and may still write" }]);
    expect(backup.files.has("/locks/a")).toBe(true);
    alive.set(77, 9000);
    await clock.advance(5000);
    expect(backup.files.has("/locks/a")).toBe(false);
  });

  it("wait only a moment more for writers when the director is in a hurry", async () => {
    const { hold, events } = start();
    const held = await hold();
    backup.writers.add("/locks/a.hold");
    const released = held.release(afterCopy);
    await clock.advance(1000);
    hurry.abort();
    expect(await settlesIn(released, 5000)).toBe(true);
    expect(events.of("lock:stuck")).toHaveLength(1);
  });

  it("stay when the director ends while a writer lives", async () => {
    const { hold, locks } = start();
    const held = await hold();
    backup.writers.add("/locks/a.hold");
    void held.release(afterCopy);
    await clock.advance(60_000);
    expect(await settlesIn(locks.close(), 1000)).toBe(true);
    backup.writers.clear();
    await clock.advance(600_000);
    expect(backup.files.has("/locks/a")).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it("are given back at once when no writer of the job was let in, whoever writes there", async () => {
    const { hold } = start();
    const held = await hold();
    backup.writers.add("/locks/a.hold");
    expect(await settlesIn(held.release({ survivors: [], atDestination: false }), 0)).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(false);
  });

  it("wait again when a writer came in between the look and the release", async () => {
    const { hold, events } = start();
    const held = await hold();
    backup.fault = ({ kind }) => {
      if (kind === "release" && events.of("job:finished").length === 0) backup.writers.add("/locks/a.hold");
      return undefined;
    };
    const released = held.release(afterCopy);
    expect(await settlesIn(released, 5000)).toBe(false);
    expect(backup.files.has("/locks/a")).toBe(true);
    backup.fault = () => undefined;
    backup.writers.clear();
    expect(await settlesIn(released, 2000)).toBe(true);
    expect(backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it("are given back once, however often that is asked for", async () => {
    const { hold, events } = start();
    const held = await hold();
    await Promise.all([held.release(afterCopy), held.release(afterCopy)]);
    expect(events.of("lock:released")).toHaveLength(1);
  });

  it("leave a lock alone that somebody else has by now", async () => {
    const { hold } = start();
    const held = await hold();
    backup.write("/locks/a", lockContent());
    await held.release(afterCopy);
    expect(backup.files.has("/locks/a")).toBe(true);
  });

  it("write down the process groups of children with their start", async () => {
    const { hold, spawned } = start();
    const held = await hold();
    alive.set(500, 42);
    held.spawned(500);
    held.spawned(501);
    expect(spawned).toEqual([{ id: 500, start: 42 }]);
  });
});
