import { describe, expect, it } from "vitest";
import { AbortReason } from "../../../src/base/abort.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { buildCommand } from "../../support/build-job.ts";
import { buildSync } from "../../support/run-action.ts";
import { ok, passing, report, setUp } from "./job-runner-fixture.ts";
import { jobFor, openActions, settle } from "./targets-fixture.ts";

const lasting: ActionOutcome = { ...passing, retryable: false } as ActionOutcome;
const abc = ["a", "b", "c"];

describe("a job with several targets", () => {
  it("syncs them side by side, at most max_parallel at a time, in their order", async () => {
    const actions = openActions();
    const test = setUp(actions.runAction);
    const result = test.run(jobFor(["a", "b", "c", "d"], { maxParallel: 2 }));
    await settle();
    expect(actions.open()).toEqual(["home to a", "home to b"]);
    await actions.end("home to b", ok);
    expect(actions.open()).toEqual(["home to a", "home to c"]);
    for (const id of ["a", "c", "d"]) await actions.end(`home to ${id}`, ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(actions.mostAtOnce()).toBe(2);
    expect(actions.names()).toEqual(["home to a", "home to b", "home to c", "home to d"]);
  });

  it("names the target in every event of a sync, and in none of a command", async () => {
    const test = setUp(async () => ok);
    await test.run(jobFor(["a", "b"], { actions: [buildSync({ id: "home" }), buildCommand("after")] }));
    expect(test.events.of("action:finished").map(({ actionId, targetId }) => [actionId, targetId])).toEqual([
      ["home", "a"],
      ["home", "b"],
      ["after", ""],
    ]);
    expect(test.events.of("target:result")).toMatchObject([
      { targetId: "a", outcome: { kind: "ok" } },
      { targetId: "b", outcome: { kind: "ok" } },
    ]);
  });

  it("says nothing of targets when there is only one", async () => {
    const test = setUp(async () => lasting);
    expect((await test.run(jobFor(["a"]))).outcome).toMatchObject({ message: "home: connection lost" });
    expect(test.events.names()).toEqual(["job:started", "action:finished", "job:finished"]);
    expect(test.events.of("action:finished")[0]?.targetId).toBe("");
  });

  it("runs a command once, between the syncs, when all lanes have ended", async () => {
    const actions = openActions();
    const test = setUp(actions.runAction);
    const job = jobFor(["a", "b"], {
      actions: [buildSync({ id: "one" }), buildCommand("between"), buildSync({ id: "two" })],
    });
    const result = test.run(job);
    await actions.end("one to a", ok);
    expect(actions.open()).toEqual(["one to b"]);
    await actions.end("one to b", ok);
    expect(actions.open()).toEqual(["between"]);
    await actions.end("between", ok);
    await actions.end("two to a", ok);
    await actions.end("two to b", ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(actions.names()).toEqual(["one to a", "one to b", "between", "two to a", "two to b"]);
  });

  it("lets a target drop out that has failed, goes on with the others, and names each failure", async () => {
    const seen: string[] = [];
    const test = setUp(async (_job, action, { target }) => {
      seen.push(action.kind === "sync" ? `${action.id} to ${target.id}` : action.id);
      if (target.id === "b" && action.id === "one") return lasting;
      return target.id === "c" && action.id === "two" ? { ...lasting, message: "disk full" } : ok;
    });
    const job = jobFor(abc, { actions: [buildSync({ id: "one" }), buildCommand("between"), buildSync({ id: "two" })] });
    const { outcome } = await test.run(job);
    expect(seen).toEqual(["one to a", "one to b", "one to c", "between", "two to a", "two to c"]);
    expect(outcome).toEqual({
      kind: "failed",
      message: "one: b: connection lost; two: c: disk full; 1 of 3 targets succeeded",
      actionId: "one",
    });
    expect(test.events.of("target:result").map(({ targetId, outcome: { kind } }) => [targetId, kind])).toEqual([
      ["b", "failed"],
      ["a", "ok"],
      ["c", "failed"],
    ]);
  });

  it("runs nothing more when no target is left", async () => {
    const seen: string[] = [];
    const test = setUp(async (_job, action) => {
      seen.push(action.id);
      return lasting;
    });
    const { outcome } = await test.run(
      jobFor(["a", "b"], { actions: [buildSync({ id: "home" }), buildCommand("after")] }),
    );
    expect(seen).toEqual(["home", "home"]);
    expect(outcome).toMatchObject({ message: expect.stringMatching(/; 0 of 2 targets succeeded$/) });
  });

  it("ends with a command that fails, and still names the targets that had failed", async () => {
    const test = setUp(async (_job, action, { target }) =>
      action.kind === "command" || target.id === "b" ? lasting : ok,
    );
    const job = jobFor(["a", "b"], {
      actions: [buildSync({ id: "one" }), buildCommand("check"), buildSync({ id: "two" })],
    });
    expect((await test.run(job)).outcome).toEqual({
      kind: "failed",
      message: "check: connection lost; one: b: connection lost; 1 of 2 targets succeeded",
      actionId: "check",
    });
    expect(test.events.of("target:result")).toMatchObject([
      { targetId: "b", outcome: { kind: "failed", message: "one: connection lost" } },
      { targetId: "a", outcome: { kind: "failed", message: expect.stringContaining("check: connection lost") } },
    ]);
  });

  it("is a warning when one target has one", async () => {
    const test = setUp(async (_job, _action, { target }) =>
      target.id === "b" ? { kind: "warning", message: "files vanished", report } : ok,
    );
    expect((await test.run(jobFor(abc))).outcome).toEqual({ kind: "warning", message: "home: b: files vanished" });
    expect(test.events.of("target:result").map(({ outcome }) => outcome.kind)).toEqual(["ok", "warning", "ok"]);
  });

  it("tries each target again by itself, while the others are done", async () => {
    const tries = new Map<string, number>();
    const test = setUp(async (_job, _action, { target, attempt }) => {
      tries.set(target.id, attempt);
      if (target.id === "a") return ok;
      return attempt < (target.id === "b" ? 2 : 9) ? passing : ok;
    });
    const retry = { limit: 2, delayMs: 1000, maxDelayMs: 9000, backoff: 3, exitCodes: undefined };
    const result = test.run(jobFor(abc, { retry }));
    await test.clock.advance(10_000);
    const { outcome } = await result;
    expect(Object.fromEntries(tries)).toEqual({ a: 1, b: 2, c: 3 });
    expect(outcome).toMatchObject({ message: "home: c: connection lost; 2 of 3 targets succeeded" });
    expect(test.events.of("action:retrying").map(({ targetId, delayMs }) => [targetId, delayMs])).toEqual([
      ["b", 1000],
      ["c", 1000],
      ["c", 3000],
    ]);
  });

  it("lets others work while a target waits to be tried again", async () => {
    const actions = openActions();
    const test = setUp(actions.runAction);
    const retry = { limit: 1, delayMs: 1000, maxDelayMs: 1000, backoff: 1, exitCodes: undefined };
    const result = test.run(jobFor(["a", "b"], { maxParallel: 1, retry }));
    await actions.end("home to a", passing);
    expect(actions.open()).toEqual(["home to b"]);
    await test.clock.advance(1000);
    expect(actions.open()).toEqual(["home to b"]);
    await actions.end("home to b", ok);
    expect(actions.open()).toEqual(["home to a"]);
    await actions.end("home to a", ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(actions.mostAtOnce()).toBe(1);
  });

  it("stops every lane when it is stopped, also those that have not begun, and frees its locks", async () => {
    const actions = openActions();
    const test = setUp(actions.runAction);
    const result = test.run(jobFor(abc, { maxParallel: 2 }));
    await settle();
    test.stop.abort(new AbortReason("shutdown", "the director stops"));
    expect((await result).outcome).toEqual({ kind: "cancelled", reason: "shutdown", message: "the director stops" });
    expect(actions.names()).toEqual(["home to a", "home to b"]);
    expect(test.events.of("target:result").map(({ outcome }) => outcome.kind)).toEqual(Array(3).fill("cancelled"));
    expect(test.heldLocks()).toBe(0);
  });

  it.each(["timeout", "lock"])("has failed when its %s ends all lanes", async (what) => {
    const actions = openActions();
    const test = setUp(actions.runAction);
    const result = test.run(jobFor(["a", "b"], { timeoutMs: 5000 }));
    await settle();
    await actions.end("home to a", ok);
    if (what === "timeout") await test.clock.advance(5000);
    else test.lost.abort(new AbortReason("lock-lost", "lock lost: backup01:/run/x"));
    expect((await result).outcome).toMatchObject({ kind: "failed", actionId: null });
    expect(test.events.of("target:result").map(({ targetId, outcome: { kind } }) => [targetId, kind])).toEqual([
      ["a", "ok"],
      ["b", "failed"],
    ]);
  });

  it("waits for every lane, and stops them, before it frees its locks after an internal error in one", async () => {
    let stopped = false;
    const test = setUp((_job, _action, { target, signal }) => {
      if (target.id === "b") return Promise.reject(new Error("bug"));
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          stopped = test.heldLocks() === 1;
          resolve({ kind: "cancelled", reason: "cancelled", message: "", report: null });
        });
      });
    });
    const { outcome } = await test.run(jobFor(["a", "b"]));
    expect(outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("bug") });
    expect(stopped).toBe(true);
    expect(test.released).toEqual([{ survivors: [], atTargets: ["a", "b"] }]);
  });

  it("begins with the targets that did not fail the last time", async () => {
    const order: string[] = [];
    const test = setUp(async (_job, _action, { target }) => {
      order.push(target.id);
      return target.id === "a" ? lasting : ok;
    });
    await test.run(jobFor(abc, { maxParallel: 1 }));
    await test.run(jobFor(abc, { maxParallel: 1 }));
    expect(order).toEqual(["a", "b", "c", "b", "c", "a"]);
  });

  it("says to its locks at which targets a writer was, and at which certainly none", async () => {
    const broken = { ...report, exitCode: 255, output: "client_loop: send disconnect: Broken pipe\n" };
    const reports = { a: report, b: { ...report, exitCode: 255, turnedAway: true }, c: broken };
    const test = setUp(async (_job, _action, { target }): Promise<ActionOutcome> => {
      const ended = reports[target.id as keyof typeof reports];
      return ended === report ? ok : ({ ...lasting, report: ended } as ActionOutcome);
    });
    await test.run(jobFor(["a", "b", "c"]));
    expect(test.released).toEqual([{ survivors: [], atTargets: ["a", "c"] }]);
  });
});
