import { beforeEach, describe, expect, it } from "vitest";
import type { KeptChild, StartChild } from "../../../../src/base/kept-child.ts";
import { inhibitSleep, type SleepInhibitor } from "../../../../src/daemon/systemd/sleep-inhibitor.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { newEvents } from "../../../support/history-samples.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

interface Inhibitor {
  readonly why: string;
  readonly command: readonly string[];
  isStopped: boolean;
  /** logind has agreed. */
  agree(): void;
  refuse(message: string): void;
}

describe("while jobs work, sleep", () => {
  let clock: FakeClock;
  let events: ReturnType<typeof newEvents>;
  let log: ReturnType<typeof createMemoryLog>;
  let started: Inhibitor[];
  let inhibitor: SleepInhibitor;

  const startChild: StartChild = (command, { onOutput, onErrorOutput }) => {
    let end: (value: Awaited<KeptChild["ended"]>) => void;
    const ended = new Promise<Awaited<KeptChild["ended"]>>((resolve) => (end = resolve));
    const one: Inhibitor = {
      why: command.find((word) => word.startsWith("--why="))?.slice("--why=".length) ?? "",
      command,
      isStopped: false,
      agree: () => onOutput("held\n"),
      refuse: (message) => {
        onErrorOutput(`${message}\n`);
        end({ exitCode: 1, message: "systemd-inhibit ended with exit code 1" });
      },
    };
    started.push(one);
    const stop = () => {
      one.isStopped = true;
      end({ exitCode: null, message: "was ended by SIGTERM" });
    };
    return { write: () => undefined, stop, ended };
  };
  const work = (jobId: string, runId = "r") =>
    events.emit("job:fencing", { runId, jobId, fencing: "fenced", reason: null, at: clock.now() });
  const finish = (jobId: string, runId = "r") =>
    events.emit("job:finished", { runId, jobId, outcome: { kind: "ok" }, startedAt: 0, at: clock.now() });
  const held = () => started.filter(({ isStopped }) => !isStopped).map(({ why }) => why);

  beforeEach(() => {
    [clock, events, log, started] = [new FakeClock(), newEvents(), createMemoryLog(), []];
    inhibitor = inhibitSleep({ events, startChild, clock, log, rsyncId: "laptop" }, true);
  });

  it("is put off, with the names of the jobs, until the last has ended", async () => {
    work("home");
    await clock.advance(1000);
    expect(held()).toEqual(["running: home"]);
    expect(started[0]?.command.slice(0, 4)).toEqual([
      ...["systemd-inhibit", "--what=sleep", "--mode=block", "--who=rsyncdirector (laptop)"],
    ]);
    for (const jobId of ["mail", "photos", "films"]) work(jobId, "other");
    finish("home");
    await clock.advance(1000);
    expect(held()).toEqual(["running: home", "running: mail, photos, films"]);
    started[1]?.agree();
    expect(held()).toEqual(["running: mail, photos, films"]);
    for (const jobId of ["mail", "photos", "films"]) finish(jobId, "other");
    await clock.advance(1000);
    expect(held()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("comes to a job that waits for locks, or is over within a second", async () => {
    events.emit("job:started", { runId: "r", jobId: "waits", at: clock.now() });
    work("short");
    finish("short");
    await clock.advance(60_000);
    expect(started).toEqual([]);
  });

  it("comes where logind refuses, which is told once, and is tried again for the next job", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.refuse("Failed to inhibit: Access denied");
    await clock.advance(60_000);
    work("mail");
    await clock.advance(1000);
    started[1]?.refuse("Failed to inhibit: Access denied");
    await clock.advance(1000);
    expect(started).toHaveLength(2);
    expect(log.lines).toEqual([
      { level: "debug", message: expect.any(String), fields: { error: "Failed to inhibit: Access denied" } },
    ]);
  });

  it("is put off again when what logind had granted is gone, which is told", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.agree();
    started[0]?.refuse("Connection reset by peer");
    await clock.advance(1000);
    expect(started.map(({ why }) => why)).toEqual(["running: home", "running: home"]);
    expect(log.lines).toEqual([
      { level: "warn", message: expect.any(String), fields: { error: "Connection reset by peer" } },
    ]);
  });

  it("is put off as it was when logind refuses for more jobs, and the next change asks again", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.agree();
    work("mail");
    await clock.advance(1000);
    started[1]?.refuse("Failed to inhibit: Too many inhibitors");
    await clock.advance(60_000);
    expect([started.length, started[0]?.isStopped]).toEqual([2, false]);
    work("films");
    await clock.advance(1000);
    started[2]?.agree();
    expect([started[0]?.isStopped, started[2]?.why]).toEqual([true, "running: home, mail, films"]);
  });

  it("is put off as it was also when logind is slow, and refuses for more and for still more jobs", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.agree();
    for (const job of ["mail", "films"]) {
      work(job);
      await clock.advance(1000);
    }
    started[1]?.refuse("Failed to inhibit: Too many inhibitors");
    started[2]?.refuse("Failed to inhibit: Too many inhibitors");
    await clock.advance(60_000);
    expect([started.length, started[0]?.isStopped]).toEqual([3, false]);
    finish("home");
    await clock.advance(1000);
    started[3]?.agree();
    expect([started[0]?.isStopped, started[3]?.why]).toEqual([true, "running: mail, films"]);
  });

  it("is asked for again when it is lost while logind is asked for more jobs, and refuses that", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.agree();
    work("mail");
    await clock.advance(1000);
    started[0]?.refuse("Connection reset by peer");
    await clock.advance(0);
    started[1]?.refuse("Connection refused");
    await clock.advance(2000);
    expect(log.messages("warn")).toHaveLength(1);
    expect(started.map(({ why }) => why)).toEqual(["running: home", "running: home, mail", "running: home, mail"]);
  });

  describe("is asked for again, when it is lost,", () => {
    /** Lets so much time pass; returns how often it was asked for meanwhile. */
    const asksIn = async (ms: number) => {
      const before = started.length;
      await clock.advance(ms);
      return started.length - before;
    };
    const lose = async (wasGranted = true) => {
      if (wasGranted) started.at(-1)?.agree();
      started.at(-1)?.refuse("Connection reset by peer");
      await clock.advance(0);
    };
    beforeEach(async () => {
      work("home");
      await clock.advance(1000);
    });

    it("after growing pauses of at most a minute, each loss being told", async () => {
      for (const pause of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
        await lose();
        expect(await asksIn(pause - 1)).toBe(0);
        expect(await asksIn(1)).toBe(1);
      }
      expect(log.messages("warn")).toHaveLength(8);
      finish("home");
      await clock.advance(1000);
      expect([started.at(-1)?.isStopped, clock.pendingTimers]).toEqual([true, 0]);
    });

    it("also when logind refuses meanwhile", async () => {
      await lose();
      for (const pause of [1000, 2000, 4000]) {
        expect(await asksIn(pause)).toBe(1);
        await lose(false);
      }
      expect(await asksIn(8000)).toBe(1);
      started.at(-1)?.agree();
      expect(await asksIn(3_600_000)).toBe(0);
      expect(log.messages("warn")).toHaveLength(1);
    });

    it("no sooner when another job begins, and then for both", async () => {
      await lose();
      await clock.advance(1000);
      await lose();
      work("mail");
      expect(await asksIn(1999)).toBe(0);
      expect(await asksIn(1)).toBe(1);
      expect(started.at(-1)?.why).toBe("running: home, mail");
    });

    it("not when the job has ended, and at once for the next one", async () => {
      for (const pause of [1000, 2000, 4000]) {
        await lose();
        await clock.advance(pause);
      }
      await lose();
      finish("home");
      await clock.advance(1000);
      expect(clock.pendingTimers).toBe(0);
      work("mail");
      expect(await asksIn(1000)).toBe(1);
      await lose();
      expect(await asksIn(1000)).toBe(1);
    });

    it("soon when it had been granted for long", async () => {
      await lose();
      await clock.advance(1000);
      await lose();
      await clock.advance(2000);
      started.at(-1)?.agree();
      await clock.advance(60_000);
      await lose();
      expect(await asksIn(1000)).toBe(1);
    });

    it("never when the director closes meanwhile", async () => {
      await lose();
      await clock.advance(1000);
      await lose();
      await clock.advance(1000);
      await inhibitor.close();
      expect(clock.pendingTimers).toBe(0);
    });
  });

  it("comes when it is not wanted, from the next reload on", async () => {
    inhibitor.reconfigure(false);
    work("home");
    await clock.advance(1000);
    expect(started).toEqual([]);
    inhibitor.reconfigure(true);
    await clock.advance(1000);
    expect(held()).toEqual(["running: home"]);
    inhibitor.reconfigure(false);
    await clock.advance(1000);
    expect(held()).toEqual([]);
  });

  it("comes when the director closes", async () => {
    work("home");
    await clock.advance(1000);
    started[0]?.agree();
    await inhibitor.close();
    expect(held()).toEqual([]);
    work("mail");
    expect(clock.pendingTimers).toBe(0);
  });
});
