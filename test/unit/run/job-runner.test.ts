import { describe, expect, it } from "vitest";
import { AbortReason } from "../../../src/base/abort.ts";
import type { Block } from "../../../src/config/resolved.ts";
import { buildCommand, buildJob } from "../../support/build-job.ts";
import { ok, passing, report, setUp, untilStopped } from "./job-runner-fixture.ts";

const twoActions = buildJob({ actions: [buildCommand("one"), buildCommand("two")] });
describe("job runner", () => {
  it("runs the actions in their order while it holds the locks, and frees them", async () => {
    const seen: [string, number][] = [];
    const test = setUp(async (_job, action) => {
      seen.push([action.id, test.heldLocks()]);
      return ok;
    });
    const result = await test.run(twoActions);
    expect(result.outcome).toEqual({ kind: "ok" });
    expect(seen).toEqual([
      ["one", 1],
      ["two", 1],
    ]);
    expect(test.heldLocks()).toBe(0);
    expect(test.events.names()).toEqual(["job:started", "action:finished", "action:finished", "job:finished"]);
  });

  it("ends at the first action that fails, names it, and frees the locks", async () => {
    const test = setUp(async () => ({ ...passing, retryable: false }));
    const result = await test.run(twoActions);
    expect(result.outcome).toEqual({ kind: "failed", message: "one: connection lost", actionId: "one" });
    expect(test.events.of("action:finished").map((event) => event.actionId)).toEqual(["one"]);
    expect(test.heldLocks()).toBe(0);
  });

  it("goes on after a warning and reports it", async () => {
    const test = setUp(async (_job, action) =>
      action.id === "one" ? { kind: "warning", message: "some files vanished", report } : ok,
    );
    const result = await test.run(twoActions);
    expect(result.outcome).toEqual({ kind: "warning", message: "one: some files vanished" });
    expect(test.events.of("action:finished")).toHaveLength(2);
  });

  it("frees the locks when an action crashes, and calls it a failure", async () => {
    const test = setUp(() => Promise.reject(new Error("bug")));
    const result = await test.run(twoActions);
    expect(result.outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("bug") });
    expect(test.heldLocks()).toBe(0);
  });

  it("tries again what may pass, holding the locks meanwhile", async () => {
    let tries = 0;
    const test = setUp(async () => ((tries += 1) < 3 ? passing : ok));
    const job = buildJob({ retry: { limit: 5, delayMs: 1000, maxDelayMs: 9000, backoff: 3, exitCodes: undefined } });
    const result = test.run(job);
    await test.clock.advance(999);
    expect(tries).toBe(1);
    expect(test.heldLocks()).toBe(1);
    await test.clock.advance(1);
    expect(tries).toBe(2);
    await test.clock.advance(3000);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(test.events.of("action:retrying").map((event) => event.delayMs)).toEqual([1000, 3000]);
  });

  it("tries nothing again in a dry run, which shows what a run would find now", async () => {
    const test = setUp(async () => passing);
    const job = buildJob({ retry: { limit: 5, delayMs: 1000, maxDelayMs: 9000, backoff: 3, exitCodes: undefined } });
    expect((await test.run(job, true)).outcome).toMatchObject({ kind: "failed" });
    expect(test.events.of("action:retrying")).toEqual([]);
  });

  it("is cancelled at once while it waits to try again", async () => {
    const test = setUp(async () => passing);
    const result = test.run(
      buildJob({ retry: { limit: 1, delayMs: 60_000, maxDelayMs: 60_000, backoff: 1, exitCodes: undefined } }),
    );
    await test.clock.advance(10);
    test.stop.abort(new AbortReason("shutdown", "the director stops"));
    expect((await result).outcome).toEqual({ kind: "cancelled", reason: "shutdown", message: "the director stops" });
    expect(test.heldLocks()).toBe(0);
  });

  it("fails when its timeout passes, and the first reason stays the reason", async () => {
    const test = setUp(untilStopped);
    const result = test.run(buildJob({ timeoutMs: 5000 }));
    await test.clock.advance(5000);
    test.stop.abort(new AbortReason("shutdown", "the director stops"));
    expect((await result).outcome).toEqual({
      kind: "failed",
      message: "the job did not end within its timeout of 5s",
      actionId: null,
    });
    expect(test.heldLocks()).toBe(0);
    expect(test.clock.pendingTimers).toBe(0);
  });

  it("tells when it has run for longer than warn_after and goes on", async () => {
    const test = setUp(untilStopped);
    const result = test.run(buildJob({ warnAfterMs: 1000 }));
    await test.clock.advance(1000);
    expect(test.events.of("job:slow")).toMatchObject([{ jobId: "job", runningMs: 1000 }]);
    test.stop.abort(new AbortReason("cancelled", "by hand"));
    expect((await result).outcome.kind).toBe("cancelled");
  });

  it("does not begin the next action once it is stopped", async () => {
    const test = setUp(async () => {
      test.stop.abort(new AbortReason("shutdown", "the director stops"));
      return ok;
    });
    const result = await test.run(twoActions);
    expect(result.outcome.kind).toBe("cancelled");
    expect(test.events.of("action:finished")).toHaveLength(1);
  });

  it.each(["skip", "fail"] as const)("reports a block timeout as on_timeout says: %s", async (onTimeout) => {
    const block: Block = { lock: { type: "local", path: "/run/x" }, waitTimeMs: 1, timeoutMs: 1, onTimeout };
    const test = setUp(
      () => Promise.reject(new Error("must not run")),
      async () => ({ kind: "timeout", block, message: "held by 42" }),
    );
    const { outcome } = await test.run(buildJob({ blocksOn: [block] }));
    expect(outcome).toMatchObject(
      onTimeout === "skip"
        ? { kind: "skipped", cause: "block-timeout", message: "held by 42" }
        : { kind: "failed", message: "held by 42" },
    );
  });

  it("takes no lock in a dry run", async () => {
    const test = setUp(
      async (_job, _action, context) => (context.dryRun ? ok : passing),
      () => Promise.reject(new Error("must not claim")),
    );
    expect((await test.run(buildJob(), true)).outcome).toEqual({ kind: "ok" });
  });
});
