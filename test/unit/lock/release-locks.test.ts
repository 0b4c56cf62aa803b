import { beforeEach, describe, expect, it } from "vitest";
import { abortReasonOf } from "../../../src/base/abort.ts";
import type { LockTimings } from "../../../src/lock/lock-timings.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createDirector, lockContent, remoteLock } from "../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../support/memory-lock-host.ts";

describe("giving locks back", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
  });

  const hold = async (timings: Partial<LockTimings> = {}) => {
    const director = createDirector({ hosts: [backup], clock, timings });
    const job = buildJob({ lockFiles: [remoteLock("backup", "/locks/a")] });
    const settled = await director.locks.claim({ job, runId: "run", signal: new AbortController().signal });
    if (settled.kind !== "held") throw new Error(settled.kind);
    return { ...director, held: settled.held };
  };

  it("tries again until the host answers", async () => {
    const { held, events } = await hold();
    backup.fault = ({ number }) => (number < 5 ? "refused" : undefined);
    const released = held.release();
    await clock.advance(5000);
    await released;
    expect(backup.files.size).toBe(0);
    expect(events.of("lock:released")).toHaveLength(1);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it.each(["nobody", "another director"])(
    "does not call a lock lost that an unanswered removal took away, when %s has taken it since",
    async (successor) => {
      const { held, events } = await hold({ releaseDeadlineMs: 60_000 });
      let releases = 0;
      backup.fault = ({ kind }) => (kind === "release" && ++releases === 1 ? "after" : undefined);
      const released = held.release();
      await clock.advance(0);
      if (successor !== "nobody") backup.write("/locks/a", lockContent());
      await clock.advance(30_000);
      expect(await released).toEqual([]);
      expect(releases).toBe(2);
      expect(events.of("lock:lost")).toEqual([]);
      expect(events.of("lock:released")).toHaveLength(1);
      expect(backup.files.size).toBe(successor === "nobody" ? 0 : 1);
    },
  );

  it("reports a lock that it cannot free within 20 s, and frees it as soon as it can", async () => {
    const { held, events } = await hold();
    backup.silent = true;
    let over = false;
    void held.release().then(() => (over = true));
    await clock.advance(19_999);
    expect(over).toBe(false);
    await clock.advance(1);
    expect(over).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([{ place: { host: "backup", path: "/locks/a" } }]);
    expect(events.of("lock:stuck")[0]?.token).toMatch(/^[\w-]{22}$/);

    await clock.advance(120_000);
    backup.silent = false;
    await clock.advance(120_000);
    expect(backup.files.size).toBe(0);
    expect(events.of("lock:released")).toHaveLength(1);
  });

  it("gives a left-over lock back at once when its own next run finds it in the way", async () => {
    const { held, locks, events } = await hold();
    backup.silent = true;
    const released = held.release();
    await clock.advance(20_000);
    await released;
    backup.silent = false;
    const job = buildJob({ lockFiles: [remoteLock("backup", "/locks/a")] });
    const next = locks.claim({ job, runId: "next", signal: new AbortController().signal });
    await clock.advance(20_000);
    expect(events.of("lock:held").map(({ runId }) => runId)).toEqual(["run", "next"]);
    expect((await next).kind).toBe("held");
  });

  it("leaves another's file alone and says that the lock was lost", async () => {
    const { held, events } = await hold();
    backup.write("/locks/a", lockContent());
    await held.release();
    expect(abortReasonOf(held.lost).message).toMatch(
      /^lock lost: backup:\/locks\/a: .*another job may have run meanwhile/,
    );
    expect(backup.files.size).toBe(1);
    expect(events.of("lock:released")).toHaveLength(0);
    expect(events.of("lock:lost")).toMatchObject([{ place: { host: "backup", path: "/locks/a" } }]);
  });

  it("reports what is left when the director ends", async () => {
    const { held, locks, log } = await hold();
    backup.silent = true;
    const released = held.release();
    await clock.advance(20_000);
    await released;
    await locks.close();
    expect(log.messages("error").at(-1)).toContain("lock was left behind");
  });
});
