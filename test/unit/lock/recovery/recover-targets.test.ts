import { beforeEach, describe, expect, it } from "vitest";
import type { LockFile } from "../../../../src/config/resolved.ts";
import type { LockOwner } from "../../../../src/lock/lock-record.ts";
import { defaultLockTimings } from "../../../../src/lock/lock-timings.ts";
import { type IntentBook, noIntents } from "../../../../src/lock/recovery/intents.ts";
import type { Intent } from "../../../../src/lock/recovery/intents-file.ts";
import { startRecovery } from "../../../../src/lock/recovery/recover.ts";
import { EventLog } from "../../../support/event-log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { lockContent, memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

const token = "tokentokentokentoken-1";
const life = { boot: "this boot", pidns: "pid:[0]" };
const owner: LockOwner = { inst: "i", name: "director", host: "laptop01", machine: "m", pid: 1000, start: 50, ...life };
const [there, second] = [remoteLock("backup", "/locks/a"), remoteLock("second", "/locks/any")];
const path = "/locks/00000000000000000000000000000001.hold";

describe("recovery of a job with several targets", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let other: MemoryLockHost;
  let log: ReturnType<typeof createMemoryLog>;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    other = new MemoryLockHost("second", clock);
    log = createMemoryLog();
  });

  const start = (options: {
    earlier?: readonly Intent[];
    configured?: readonly LockFile[];
    ways?: readonly LockFile[];
    names?: Parameters<typeof memoryTransportPool>[4];
  }) => {
    const { earlier = [], configured = [], ways = [], names } = options;
    const settled: Intent[] = [];
    const lost = configured.length > 0;
    const intents: IntentBook = { ...noIntents, earlier, lost, settled: (done) => void settled.push(done) };
    const recovery = startRecovery({
      ...{ intents, owner, configured, ways, boundMs: 10_000, timings: defaultLockTimings, random: () => 0.5 },
      ...{ events: new EventLog(), clock, log, processes: { startTimeOf: () => undefined } },
      transports: memoryTransportPool([backup, other], clock, undefined, false, names),
      stopLeftovers: () => Promise.resolve([]),
    });
    let begun = false;
    void recovery.begun.then(() => (begun = true));
    return { settled, hasBegun: () => begun };
  };

  describe("that was written down", () => {
    const holds = [
      { at: there, paths: ["/locks/a.hold"] },
      { at: second, paths: [path], fence: path },
    ];
    const intent: Intent = {
      ...{ runId: "run", jobId: "job", ...life, locks: [there], tokens: [token], holds, groups: [] },
    };
    beforeEach(() => backup.write("/locks/a", lockContent({ token })));

    it("keeps the lock while a writer lives at one of them", async () => {
      other.writers.add(path);
      const { settled } = start({ earlier: [intent] });
      await clock.advance(600_000);
      expect([backup.files.size, other.dead.size]).toEqual([1, 0]);
      other.writers.clear();
      await clock.advance(5000);
      expect(backup.files.size).toBe(0);
      expect([...other.dead]).toEqual([`${path} ${token}`]);
      expect(settled).toHaveLength(1);
    });

    it("keeps the lock while one of them does not answer, and does not keep the start waiting for it", async () => {
      other.silent = true;
      const { settled, hasBegun } = start({ earlier: [intent] });
      await clock.advance(600_000);
      expect(hasBegun()).toBe(true);
      expect(backup.files.size).toBe(1);
      expect(settled).toEqual([]);
      expect(log.messages("error")).toEqual(["locks of an earlier life are kept"]);
      other.silent = false;
      await clock.advance(120_000);
      expect(backup.files.size).toBe(0);
      expect(settled).toHaveLength(1);
    });
  });

  describe("of which only the lock file tells", () => {
    beforeEach(() => {
      const fence = { host: "second", path, others: [{ host: "backup", path }] };
      backup.write("/locks/a", lockContent({ token, hold: true, fence, owner: { ...owner, pid: 900, start: 40 } }));
    });

    it("asks all of them", async () => {
      other.writers.add(path);
      start({ configured: [there], ways: [second] });
      await clock.advance(60_000);
      expect(backup.files.size).toBe(1);
      other.writers.clear();
      await clock.advance(5000);
      expect(backup.files.size).toBe(0);
      expect([...backup.dead, ...other.dead]).toEqual([`${path} ${token}`, `${path} ${token}`]);
    });

    it("keeps the lock when the configuration does not lead to one of them", async () => {
      start({ configured: [there] });
      await clock.advance(600_000);
      expect(backup.files.size).toBe(1);
      expect(log.messages("error")).toEqual(["a lock of an earlier life stays: no way to its hold lock is configured"]);
    });
  });

  it("of which only the lock files tell, gives back those of two accounts that see two files at one name", async () => {
    const content = lockContent({ token, owner: { ...owner, pid: 900, start: 40 } });
    for (const host of [backup, other]) host.write("/locks/a", content);
    const names = { one: { host: backup, key: "tank" }, two: { host: other, key: "tank" } };
    start({ configured: [remoteLock("one", "/locks/a"), remoteLock("two", "/locks/a")], names });
    await clock.advance(60_000);
    expect([backup.files.size, other.files.size]).toEqual([0, 0]);
  });
});
