import { describe, expect, it } from "vitest";
import { Emitter } from "../../../../src/base/emitter.ts";
import type { ToolResult } from "../../../../src/base/tool-runner.ts";
import { connectServiceManager } from "../../../../src/daemon/systemd/service-manager.ts";
import type { DirectorEvents } from "../../../../src/model/events.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

const ok: ToolResult = { exitCode: 0, stdout: "", stderr: "" };
const failed: ToolResult = { exitCode: 1, stdout: "", stderr: "No socket there\n" };

/** systemd as seen by a daemon: what each `systemd-notify` was given, answered when the test says so. */
function makeService(env: Record<string, string> = {}) {
  const clock = new FakeClock();
  const log = createMemoryLog();
  const sent: string[][] = [];
  const open: ((result: ToolResult) => void)[] = [];
  let answers: ToolResult | "later" = ok;
  const service = connectServiceManager({
    env: { NOTIFY_SOCKET: "/run/systemd/notify", ...env },
    pid: 4711,
    runTool: ([file, ...args], options) => {
      expect([file, args[0]]).toEqual(["systemd-notify", "--"]);
      expect(options.env).toEqual({ NOTIFY_SOCKET: "/run/systemd/notify" });
      sent.push(args.slice(1));
      return answers === "later" ? new Promise((resolve) => open.push(resolve)) : Promise.resolve(answers);
    },
    clock,
    log,
  });
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  service.follow(events);
  const answerWith = (result: ToolResult | "later") => {
    answers = result;
    for (const resolve of open.splice(0)) resolve(result === "later" ? ok : result);
  };
  return { service, events, clock, log, sent, answerWith };
}

const of = { runId: "R1", jobId: "home" };
const start = (events: Emitter<DirectorEvents>, jobId: string) => events.emit("job:started", { ...of, jobId, at: 0 });

describe("what systemd is told", () => {
  it("is nothing where no service manager has started the process", async () => {
    const { service, events, clock, sent } = makeService({ NOTIFY_SOCKET: "", WATCHDOG_USEC: "1000000" });
    service.ready();
    start(events, "home");
    service.stopping();
    await clock.advance(60_000);
    await service.close();
    expect(sent).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("is that the director is ready only when it is, with what it does", async () => {
    const { service, events, clock, sent } = makeService();
    events.emit("schedule:next", { jobs: ["home"], schedule: "30 2 * * *", last: null, next: 1_772_418_600_000 });
    start(events, "mail");
    await clock.advance(60_000);
    expect(sent).toEqual([]);
    service.ready();
    await clock.advance(0);
    expect(sent).toEqual([["READY=1", "STATUS=running: mail; next: home at 2026-03-02 02:30 UTC"]]);
  });

  it("is what runs and what waits, as soon as that has settled and then not more often than every five seconds", async () => {
    const { service, events, clock, sent } = makeService();
    service.ready();
    await clock.advance(0);
    sent.length = 0;
    events.emit("run:queued", { runId: "R1", jobs: ["home"], cause: { kind: "signal" }, at: 0 });
    await clock.advance(199);
    expect(sent).toEqual([]);
    await clock.advance(1);
    expect(sent).toEqual([["STATUS=idle; queued: 1"]]);
    events.emit("run:started", { runId: "R1", jobs: ["home"], cause: { kind: "signal" }, at: 0 });
    for (const job of ["a", "b", "c", "d", "e"]) start(events, job);
    const place = { host: null, path: "/run/lock" };
    events.emit("job:blocked", { ...of, place, state: "held", owner: null, detail: "", at: 0 });
    await clock.advance(4999);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent.slice(1)).toEqual([["STATUS=running: a, b, c and 2 more; waiting for locks: home"]]);
    await clock.advance(60_000);
    expect(sent).toHaveLength(2);
    for (const jobId of ["a", "b", "c", "d", "e", "home"])
      events.emit("job:finished", { ...of, jobId, outcome: { kind: "ok" } as never, startedAt: 0, at: 0 });
    await clock.advance(200);
    expect(sent.at(-1)).toEqual(["STATUS=idle"]);
  });

  it("is a sign of life twice in the time of the watchdog, from when it is ready", async () => {
    const { service, clock, sent } = makeService({ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "4711" });
    await clock.advance(120_000);
    expect(sent).toEqual([]);
    service.ready();
    await clock.advance(29_999);
    expect(sent).toHaveLength(1);
    await clock.advance(60_001);
    expect(sent.slice(1)).toEqual([["WATCHDOG=1"], ["WATCHDOG=1"], ["WATCHDOG=1"]]);
    // Whoever is stopped (SIGSTOP), asleep or caught in a loop runs no timers, and gives none.
    clock.suspend(120_000);
    expect(sent).toHaveLength(4);
    await service.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("is no sign of life where systemd waits for none, or for another process", async () => {
    const others: Record<string, string>[] = [
      {},
      { WATCHDOG_USEC: "0" },
      { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "4712" },
    ];
    for (const env of others) {
      const { service, clock, sent } = makeService(env);
      service.ready();
      await clock.advance(120_000);
      expect(sent).toHaveLength(1);
    }
  });

  it("is that it stops, and asks for more time while it does, but not for ever", async () => {
    const { service, events, clock, sent } = makeService({ WATCHDOG_USEC: "60000000" });
    service.ready();
    await clock.advance(0);
    service.stopping();
    start(events, "home");
    await clock.advance(0);
    expect(sent.at(-1)).toEqual(["STOPPING=1", "STATUS=stopping: ending what runs, then freeing the locks"]);
    await clock.advance(3_600_000);
    const extensions = sent.flat().filter((word) => word === "EXTEND_TIMEOUT_USEC=30000000");
    expect(extensions).toHaveLength(30);
    expect(sent.flat().filter((word) => word.startsWith("STATUS=running"))).toEqual([]);
  });
});

describe("the helper that tells it", () => {
  it("is never started twice at once; what comes meanwhile goes together, the last of each", async () => {
    const { service, clock, sent, answerWith } = makeService({ WATCHDOG_USEC: "2000000" });
    answerWith("later");
    service.ready();
    await clock.advance(10_000);
    service.stopping();
    expect(sent).toHaveLength(1);
    answerWith(ok);
    await service.close();
    expect(sent.slice(1)).toEqual([
      ["WATCHDOG=1", "STOPPING=1", "STATUS=stopping: ending what runs, then freeing the locks"],
    ]);
  });

  it("is tried again when it fails, says so once, and loses nothing but older values", async () => {
    const { service, events, clock, log, sent, answerWith } = makeService();
    answerWith(failed);
    service.ready();
    await clock.advance(4000);
    expect(sent).toHaveLength(3);
    start(events, "home");
    await clock.advance(200);
    answerWith(ok);
    await clock.advance(1800);
    expect(sent.at(-1)).toEqual(["READY=1", "STATUS=running: home"]);
    expect(log.lines.map(({ level, message, fields }) => [level, message, fields["error"]])).toEqual([
      ["warn", "systemd could not be told how the director is", "No socket there"],
      ["info", "systemd is told again how the director is", undefined],
    ]);
  });

  it("does not keep a director from ending when it fails", async () => {
    const { service, clock, sent, answerWith } = makeService();
    answerWith(failed);
    service.ready();
    await clock.advance(0);
    service.stopping();
    await service.close();
    expect(sent.at(-1)?.[0]).toBe("READY=1");
    expect(sent).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });
});
