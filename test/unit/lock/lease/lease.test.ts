import { beforeEach, describe, expect, it } from "vitest";
import { abortReasonOf } from "../../../../src/base/abort.ts";
import { defaultLease } from "../../../../src/config/resolve-lease.ts";
import type { LockLease } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { type Fault, MemoryLockHost } from "../../../support/memory-lock-host.ts";

const seconds = (count: number) => count * 1000;
const year = seconds(31_536_000);

describe("the lease of a held lock", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let other: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    other = new MemoryLockHost("other", clock);
  });

  const hold = async (lease: Partial<LockLease> = {}, paths = ["/locks/a"]) => {
    const director = createDirector({ hosts: [backup, other], clock });
    const lockFiles = paths.map((path) =>
      remoteLock(path.startsWith("/other") ? "other" : "backup", path.replace("/other", "")),
    );
    const job = buildJob({ lockFiles, lease: { ...defaultLease, ...lease } });
    const settled = await director.locks.claim({ job, runId: "run", signal: new AbortController().signal });
    if (settled.kind !== "held") throw new Error(settled.kind);
    const { held } = settled;
    const lost = () => (held.lost.aborted ? abortReasonOf(held.lost) : undefined);
    return { ...director, held, lost };
  };
  const ageOnHost = () => {
    const seen = backup.check("/locks/a");
    return seen.kind === "held" ? seen.found.ageSeconds : undefined;
  };
  const beats = () => {
    const at: number[] = [];
    const began = clock.monotonic();
    backup.fault = ({ kind }) => void (kind === "beat" && at.push((clock.monotonic() - began) / 1000));
    return at;
  };

  it("gives a sign of life every 30 s, one trip for all locks of a host", async () => {
    const { held, events } = await hold({}, ["/locks/a", "/locks/b", "/other/locks/c"]);
    const at = beats();
    await clock.advance(seconds(100));
    expect(at).toEqual([30, 60, 90]);
    expect(events.of("lock:beat")).toHaveLength(9);
    expect(ageOnHost()).toBeLessThanOrEqual(30);
    await held.release();
    await clock.advance(seconds(100));
    expect(at).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  it("tries again after 5 s when a sign of life fails, and tells of the doubt once", async () => {
    const { events, lost } = await hold();
    const at: number[] = [];
    const began = clock.monotonic();
    backup.fault = ({ kind }): Fault | undefined => {
      if (kind !== "beat") return undefined;
      at.push((clock.monotonic() - began) / 1000);
      return at.length < 4 ? "refused" : undefined;
    };
    await clock.advance(seconds(60));
    expect(at).toEqual([30, 35, 40, 45]);
    expect(events.of("lock:suspect")).toMatchObject([{ jobId: "job", ageMs: 30_000, detail: "not sent" }]);
    expect(events.of("lock:confirmed")).toMatchObject([{ ageMs: 45_000 }]);
    expect(lost()).toBeUndefined();
  });

  it("stops the job at the renew deadline when the host is silent, and says what is unknown", async () => {
    const { events, lost } = await hold();
    backup.silent = true;
    await clock.advance(seconds(479));
    expect(lost()).toBeUndefined();
    await clock.advance(seconds(1));
    expect(lost()).toMatchObject({ kind: "lock-lost" });
    expect(lost()?.message).toMatch(
      /^lock lost: backup:\/locks\/a could not be confirmed for 8m, so that whether it is still ours is unknown/,
    );
    expect(events.of("lock:lost")).toMatchObject([{ cause: "unreachable", ageMs: 480_000 }]);
  });

  it("counts from the beginning of the last confirmed sign of life, not from its answer", async () => {
    const { lost } = await hold();
    backup.answerDelayMs = seconds(15);
    await clock.advance(seconds(50));
    // Sent at 30 s, answered at 45 s; the next one, sent at 60 s, is never answered.
    backup.silent = true;
    await clock.advance(seconds(509 - 50));
    expect(lost()).toBeUndefined();
    await clock.advance(seconds(1));
    expect(lost()).toMatchObject({ kind: "lock-lost" });
  });

  it("goes on when the host answers again shortly before the deadline", async () => {
    const { lost, events } = await hold();
    backup.silent = true;
    await clock.advance(seconds(440));
    backup.silent = false;
    await clock.advance(seconds(600));
    expect(lost()).toBeUndefined();
    expect(events.of("lock:confirmed")).toHaveLength(1);
  });

  it("keeps the locks alive while a job that lost contact is being stopped", async () => {
    const { lost, held, events } = await hold({ ttlMs: seconds(600), renewDeadlineMs: seconds(480) });
    backup.silent = true;
    await clock.advance(seconds(480));
    expect(lost()).toBeDefined();
    backup.silent = false;
    await clock.advance(seconds(30));
    expect(ageOnHost()).toBeLessThanOrEqual(30);
    // The job knows that it has to end: further doubts are no news.
    backup.silent = true;
    await clock.advance(seconds(60));
    expect(events.of("lock:suspect")).toHaveLength(1);
    expect(events.of("lock:confirmed")).toEqual([]);
    backup.silent = false;
    const released = held.release();
    await clock.advance(seconds(20));
    await released;
    expect(backup.files.size).toBe(0);
  });

  it.each([
    ["another's", () => backup.write("/locks/a", lockContent())],
    ["the Python original's", () => backup.write("/locks/a", "1234\n")],
    ["gone", () => void backup.files.delete("/locks/a")],
  ])("stops the job at once when the file is %s, and leaves it so", async (_, change) => {
    const { lost, held, events } = await hold();
    change();
    const before = backup.files.get("/locks/a");
    await clock.advance(seconds(30));
    expect(lost()).toMatchObject({ kind: "lock-lost", message: expect.stringContaining("backup:/locks/a") });
    expect(events.of("lock:lost")).toMatchObject([{ cause: "taken", ageMs: 30_000 }]);
    await clock.advance(seconds(100));
    await held.release();
    expect(backup.files.get("/locks/a")).toEqual(before);
    expect(events.of("lock:lost")).toHaveLength(1);
  });

  it("tells of a loss that only the release finds", async () => {
    const { held, lost } = await hold();
    backup.write("/locks/a", lockContent());
    await held.release();
    expect(lost()).toMatchObject({ kind: "lock-lost", message: expect.stringContaining("777") });
    expect(backup.files.size).toBe(1);
  });

  it.each([year, -year])("does not mind when the clock of the host jumps (%d ms)", async (jump) => {
    const { lost } = await hold();
    await clock.advance(seconds(100));
    backup.clockOffsetMs = jump;
    await clock.advance(seconds(2000));
    expect(lost()).toBeUndefined();
    expect(ageOnHost()).toBeLessThanOrEqual(30);
  });

  it("does not mind when its own wall clock is set", async () => {
    const { lost } = await hold();
    clock.jumpWallClock(year);
    await clock.advance(seconds(2000));
    expect(lost()).toBeUndefined();
  });

  describe("after a suspend", () => {
    it("asks first, and goes on when the lock is still its own", async () => {
      const { lost } = await hold();
      const at = beats();
      clock.suspend(seconds(7200));
      await clock.advance(seconds(1));
      expect(at).toEqual([7201]);
      await clock.advance(seconds(100));
      expect(lost()).toBeUndefined();
    });

    it("stops at once when the lock was broken meanwhile", async () => {
      const { lost } = await hold();
      clock.suspend(seconds(7200));
      backup.write("/locks/a", lockContent());
      await clock.advance(seconds(1));
      expect(lost()).toMatchObject({ kind: "lock-lost" });
    });

    it("stops at once when the host cannot be asked, and after 5 s when it does not answer", async () => {
      const refused = await hold();
      backup.fault = () => "refused";
      clock.suspend(seconds(7200));
      await clock.advance(seconds(1));
      expect(refused.lost()).toMatchObject({ kind: "lock-lost" });
      backup.fault = () => undefined;

      const unanswered = await hold({}, ["/locks/b"]);
      backup.silent = true;
      clock.suspend(seconds(7200));
      await clock.advance(seconds(5));
      expect(unanswered.lost()).toBeUndefined();
      await clock.advance(seconds(1));
      expect(unanswered.lost()).toMatchObject({ kind: "lock-lost" });
    });
  });

  it.each([
    ["ttl: 0", { ttlMs: 0, renewDeadlineMs: 0 }],
    ["on_unreachable: continue", { onUnreachable: "continue" as const }],
  ])("never stops for silence with %s, but for the loss of the file", async (_, lease) => {
    const { lost } = await hold(lease);
    backup.silent = true;
    await clock.advance(seconds(5000));
    expect(lost()).toBeUndefined();
    backup.silent = false;
    backup.files.clear();
    await clock.advance(seconds(60));
    expect(lost()).toMatchObject({ kind: "lock-lost" });
  });

  it("does not care for the answer to a sign of life once the lock was given back", async () => {
    const { held, events } = await hold();
    backup.answerDelayMs = seconds(10);
    await clock.advance(seconds(35));
    backup.answerDelayMs = 0;
    await held.release();
    await clock.advance(seconds(100));
    expect(events.names().filter((name) => name === "lock:beat" || name === "lock:lost")).toEqual([]);
  });

  it("sends nothing more once the director is closed", async () => {
    const { locks } = await hold();
    await locks.close();
    const at = beats();
    await clock.advance(seconds(100));
    expect(at).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
