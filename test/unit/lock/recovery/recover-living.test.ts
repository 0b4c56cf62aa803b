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

describe("recovery of what may be alive", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let local: MemoryLockHost;
  let log: ReturnType<typeof createMemoryLog>;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    local = new MemoryLockHost("local", clock);
    log = createMemoryLog();
  });

  const here: LockFile = { type: "local", path: "/locks/b" };
  const intent = (overrides: Partial<Intent>): Intent => {
    const locks = [remoteLock("backup", "/locks/a")];
    return { runId: "run", jobId: "job", ...life, locks, tokens: [token], holds: [], groups: [], ...overrides };
  };
  const start = ({ earlier }: { earlier: readonly Intent[] }) => {
    const settled: Intent[] = [];
    const stopped: string[] = [];
    const intents: IntentBook = { ...noIntents, earlier, settled: (done) => void settled.push(done) };
    startRecovery({
      ...{ intents, owner, configured: [], boundMs: 10_000, timings: defaultLockTimings, random: () => 0.5 },
      ...{ events: new EventLog(), clock, log, processes: { startTimeOf: () => undefined } },
      transports: memoryTransportPool([backup, local], clock),
      stopLeftovers: ({ runId }) => Promise.resolve((stopped.push(runId), [])),
    });
    return { settled, stopped };
  };

  it("leaves a lock on this machine to the container that beats it with the same state directory", async () => {
    local.write("/locks/b", lockContent({ token, hb: 30, ttl: 600 }));
    const { settled, stopped } = start({ earlier: [intent({ locks: [here], pidns: "pid:[1]" })] });
    await clock.advance(29_000);
    expect([stopped, settled]).toEqual([[], []]);
    local.beat("/locks/b", token);
    await clock.advance(600_000);
    expect(local.files.has("/locks/b")).toBe(true);
    expect(settled).toHaveLength(1);
  });

  it("gives a lock of a container that is gone back when nobody beat it", async () => {
    local.write("/locks/b", lockContent({ token, hb: 30, ttl: 600 }));
    start({ earlier: [intent({ locks: [here], pidns: "pid:[1]" })] });
    await clock.advance(119_000);
    expect(local.files.has("/locks/b")).toBe(true);
    await clock.advance(20_000);
    expect(local.files.has("/locks/b")).toBe(false);
  });

  it("keeps a lock for a living writer whose hold file has become read-only for this account", async () => {
    backup.write("/locks/a", lockContent({ token }));
    local.writers.add("/locks/x.hold");
    local.readOnly.add("/locks/x.hold");
    start({ earlier: [intent({ holds: [{ at: here, paths: ["/locks/x.hold"], fence: "/locks/x.hold" }] })] });
    await clock.advance(600_000);
    expect(backup.files.size).toBe(1);
    expect(log.messages("error")).toContain("locks of an earlier life are kept");
    local.readOnly.clear();
    local.writers.clear();
    await clock.advance(60_000);
    expect(backup.files.size).toBe(0);
  });
});
