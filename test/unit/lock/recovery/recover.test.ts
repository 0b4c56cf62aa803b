import { beforeEach, describe, expect, it } from "vitest";
import type { LockFile } from "../../../../src/config/resolved.ts";
import type { Intent } from "../../../../src/lock/recovery/intents-file.ts";
import { type IntentBook, noIntents } from "../../../../src/lock/recovery/intents.ts";
import type { LockOwner } from "../../../../src/lock/lock-record.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { startRecovery } from "../../../../src/lock/recovery/recover.ts";
import type { StartTime } from "../../../../src/process/process-group.ts";
import { EventLog } from "../../../support/event-log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { lockContent, memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

const owner: LockOwner = {
  inst: "inst",
  name: "director",
  host: "laptop01",
  machine: "0123456789abcdef",
  boot: "this boot",
  pid: 1000,
  start: 50,
  pidns: "pid:[0]",
};
const token = "tokentokentokentoken-1";

describe("recovery after a crash", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let local: MemoryLockHost;
  let events: EventLog;
  let log: ReturnType<typeof createMemoryLog>;
  let alive: Map<number, StartTime>;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    local = new MemoryLockHost("local", clock);
    events = new EventLog();
    log = createMemoryLog();
    alive = new Map([[owner.pid, owner.start]]);
  });

  const there = remoteLock("backup", "/locks/a");
  const here: LockFile = { type: "local", path: "/locks/b" };
  const intent = (overrides: Partial<Intent> = {}): Intent => ({
    runId: "run",
    jobId: "job",
    boot: "this boot",
    pidns: "pid:[0]",
    locks: [there],
    tokens: [token],
    holds: [],
    groups: [],
    ...overrides,
  });

  const start = (options: {
    earlier?: readonly Intent[];
    configured?: readonly LockFile[];
    lost?: boolean;
    survivors?: readonly number[];
    stopping?: Promise<void>;
  }) => {
    const settled: Intent[] = [];
    const stopped: string[] = [];
    const { earlier = [], lost = false, configured = [], survivors = [], stopping = Promise.resolve() } = options;
    const intents: IntentBook = { ...noIntents, earlier, lost, settled: (done) => void settled.push(done) };
    const recovery = startRecovery({
      intents,
      owner,
      configured,
      transports: memoryTransportPool([backup, local], clock),
      processes: { startTimeOf: (pid) => alive.get(pid) },
      stopLeftovers: async ({ runId }) => {
        stopped.push(runId);
        await stopping;
        return survivors;
      },
      boundMs: 10_000,
      timings: defaultLockTimings,
      random: () => 0.5,
      events,
      clock,
      log,
    });
    let begun = false;
    void recovery.begun.then(() => (begun = true));
    return { recovery, settled, stopped, hasBegun: () => begun };
  };
  const own = (overrides: Partial<LockOwner> = {}) =>
    lockContent({ token, owner: { ...owner, pid: 900, start: 40, ...overrides } });

  it("gives the locks of a dead life back by their tokens, and forgets the intent", async () => {
    backup.write("/locks/a", lockContent({ token }));
    const { settled, hasBegun, stopped } = start({ earlier: [intent({ locks: [there, here] })] });
    await clock.advance(0);
    expect(hasBegun()).toBe(true);
    expect(stopped).toEqual(["run"]);
    expect(backup.files.size).toBe(0);
    expect(settled).toHaveLength(1);
    expect(events.of("lock:recovered").map(({ place, outcome }) => [place.path, outcome])).toEqual([
      ["/locks/a", "released"],
      ["/locks/b", "absent"],
    ]);
  });

  it("leaves alone what somebody else has taken since", async () => {
    backup.write("/locks/a", lockContent());
    const { settled } = start({ earlier: [intent()] });
    await clock.advance(0);
    expect(backup.files.size).toBe(1);
    expect(settled).toHaveLength(1);
    expect(events.of("lock:recovered")).toMatchObject([{ outcome: "lost" }]);
  });

  it("stops the processes first", async () => {
    backup.write("/locks/a", lockContent({ token }));
    let stop: () => void = () => undefined;
    const { hasBegun } = start({ earlier: [intent()], stopping: new Promise((resolve) => (stop = resolve)) });
    await clock.advance(25_000);
    expect(hasBegun()).toBe(false);
    expect(backup.files.size).toBe(1);
    stop();
    await clock.advance(0);
    expect(hasBegun()).toBe(true);
    expect(backup.files.size).toBe(0);
  });

  it("looks for no processes of another boot: their numbers belong to others now", async () => {
    backup.write("/locks/a", lockContent({ token }));
    const { stopped } = start({ earlier: [intent({ boot: "an earlier boot" })] });
    await clock.advance(0);
    expect(stopped).toEqual([]);
    await clock.advance(120_000);
    expect(backup.files.size).toBe(0);
  });

  it("watches a lock of another boot first, and leaves it to the copy of this machine that beats it", async () => {
    backup.write("/locks/a", lockContent({ token, hb: 30, ttl: 600 }));
    local.write("/locks/b", lockContent({ token, hb: 30, ttl: 600 }));
    const { settled } = start({
      earlier: [
        intent({ boot: "of the copy", holds: [{ at: there, paths: ["/locks/a.hold"], fence: "/locks/a.hold" }] }),
      ],
    });
    const here2 = start({ earlier: [intent({ boot: "of the copy", locks: [here] })] });
    await clock.advance(29_000);
    expect(here2.settled).toHaveLength(1);
    expect(settled).toEqual([]);
    backup.beat("/locks/a", token);
    await clock.advance(600_000);
    expect(backup.files.has("/locks/a")).toBe(true);
    expect(backup.dead.size).toBe(0);
    expect(settled).toHaveLength(1);
    expect(log.messages("error")).toEqual([expect.stringContaining("state directory was copied")]);
  });

  it("declares its tokens dead where its hold lock is, before it gives a lock on another host back", async () => {
    backup.write("/locks/a", lockContent({ token }));
    local.writers.add("/locks/x.hold");
    const holds = [{ at: here, paths: ["/locks/x.hold"], fence: "/locks/x.hold" }];
    start({ earlier: [intent({ holds })] });
    await clock.advance(60_000);
    expect([backup.files.size, local.dead.size]).toEqual([1, 0]);
    local.writers.clear();
    await clock.advance(5000);
    expect([...local.dead]).toEqual([`/locks/x.hold ${token}`]);
    expect(backup.files.size).toBe(0);
  });

  it("does not remove a lock while a writer keeps its hold file locked, whatever the record says", async () => {
    backup.write("/locks/a", lockContent({ token, hold: true }));
    backup.writers.add("/locks/a.hold");
    start({ earlier: [intent()] });
    await clock.advance(60_000);
    expect(backup.files.size).toBe(1);
    backup.writers.clear();
    await clock.advance(90_000);
    expect(backup.files.size).toBe(0);
  });

  it("does not keep the start waiting for a dead host, reports it, and goes on", async () => {
    backup.write("/locks/a", lockContent({ token }));
    backup.silent = true;
    const { hasBegun, settled } = start({ earlier: [intent()] });
    await clock.advance(9999);
    expect(hasBegun()).toBe(false);
    await clock.advance(1);
    expect(hasBegun()).toBe(true);
    await clock.advance(300_000);
    expect(events.of("lock:stuck")).toHaveLength(1);
    expect(log.messages("error")).toEqual(["a lock of an earlier life cannot be given back yet"]);
    expect(settled).toEqual([]);
    backup.silent = false;
    await clock.advance(120_000);
    expect(backup.files.size).toBe(0);
    expect(settled).toHaveLength(1);
  });

  it("keeps the lock while the writer of the dead life lives at the destination", async () => {
    backup.write("/locks/a", lockContent({ token }));
    backup.writers.add("/locks/a.hold");
    const { hasBegun, settled } = start({ earlier: [intent({ holds: [{ at: there, paths: ["/locks/a.hold"] }] })] });
    await clock.advance(600_000);
    expect(hasBegun()).toBe(true);
    expect(backup.files.size).toBe(1);
    expect(log.messages("error")).toEqual(["locks of an earlier life are kept"]);
    backup.writers.clear();
    await clock.advance(5000);
    expect(backup.files.size).toBe(0);
    expect(settled).toHaveLength(1);
  });

  it("keeps the lock while a process lives that cannot be killed", async () => {
    backup.write("/locks/a", lockContent({ token }));
    alive.set(77, 5);
    start({ earlier: [intent()], survivors: [77] });
    await clock.advance(120_000);
    expect(backup.files.size).toBe(1);
    alive.delete(77);
    await clock.advance(5000);
    expect(backup.files.size).toBe(0);
  });

  it("leaves what is unfinished to the next life when it is closed", async () => {
    backup.write("/locks/a", lockContent({ token }));
    backup.silent = true;
    const { recovery, settled } = start({ earlier: [intent()] });
    await clock.advance(30_000);
    let closed = false;
    void recovery.close().then(() => (closed = true));
    await clock.advance(20_000);
    expect(closed).toBe(true);
    expect(settled).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  describe("without intents", () => {
    it.each<[string, Partial<LockOwner>]>([
      ["of another boot", { boot: "an earlier boot" }],
      ["of a process that is gone", {}],
      ["of a process whose number somebody else has now", { pid: owner.pid, start: 40 }],
    ])("frees a lock of this installation %s", async (_, of) => {
      backup.write("/locks/a", own(of));
      const { stopped } = start({ lost: true, configured: [there, here] });
      await clock.advance("boot" in of ? 130_000 : 0);
      expect(backup.files.size).toBe(0);
      expect(events.of("lock:recovered")).toMatchObject([
        { jobId: "their-job", runId: "their-run", outcome: "released" },
      ]);
      expect(stopped).toEqual("boot" in of ? [] : ["their-run"]);
    });

    it.each<[string, Partial<LockOwner>]>([
      ["of its own life", { pid: owner.pid, start: owner.start }],
      ["of another installation", { inst: "another" }],
      ["of a copy of it on another machine", { machine: "fedcba9876543210" }],
      ["of a copy of it on another host", { host: "laptop02" }],
      ["of which nobody knows the machine", { machine: "" }],
      ["of which nobody knows the start", { start: 0 }],
      ["of another container", { pidns: "pid:[1]" }],
      ["of a process that is there and cannot be seen", { pid: 78 }],
    ])("leaves a lock alone %s", async (_, of) => {
      alive.set(78, "hidden");
      backup.write("/locks/a", own(of));
      start({ lost: true, configured: [there] });
      await clock.advance(120_000);
      expect(backup.files.size).toBe(1);
    });

    it("does not wait for a second look where the first one was refused", async () => {
      const { hasBegun } = start({ lost: true, configured: [remoteLock("backup", "/missing/a"), here] });
      await clock.advance(0);
      expect(hasBegun()).toBe(true);
    });

    it("looks again at a host that did not answer", async () => {
      backup.write("/locks/a", own());
      backup.silent = true;
      const { hasBegun } = start({ lost: true, configured: [there] });
      await clock.advance(30_000);
      expect(hasBegun()).toBe(true);
      backup.silent = false;
      await clock.advance(120_000);
      expect(backup.files.size).toBe(0);
    });
  });
});
