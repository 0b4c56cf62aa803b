import { describe, expect, it } from "vitest";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { RunAction } from "../../../src/action/action.ts";
import type { Block, Job } from "../../../src/config/resolved.ts";
import type { GuardedClaim, GuardedLocks } from "../../../src/lock/hold-locks.ts";
import type { Fencing, WritersLeft } from "../../../src/model/hold.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { createJobRunner } from "../../../src/run/job-runner.ts";
import { buildCommand, buildJob } from "../../support/build-job.ts";
import { EventLog } from "../../support/event-log.ts";
import { buildSync } from "../../support/run-action.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const report = { argv: ["true"], exitCode: 0, signal: null, stats: null, output: "" };
const ok: ActionOutcome = { kind: "ok", report };
const passing: ActionOutcome = {
  kind: "failed",
  cause: "exit",
  message: "connection lost",
  retryable: true,
  report: { ...report, exitCode: 12 },
};

/** An action that ends only when its signal does. */
const untilStopped: RunAction = (_job, _action, { signal }) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      const { kind, message } = abortReasonOf(signal);
      resolve({ kind: "cancelled", reason: kind, message, report: null });
    });
  });

function setUp(runAction: RunAction, claim?: (signal: AbortSignal) => Promise<GuardedClaim>) {
  const clock = new FakeClock();
  const events = new EventLog();
  const lost = new AbortController();
  let held = 0;
  const released: WritersLeft[] = [];
  const spawned: number[] = [];
  let onRelease: () => void = () => undefined;
  const fencing: Fencing = { kind: "fenced", holds: [{ hold: "/run/x.hold", lock: "/run/x", token: "t" }] };
  const locks: GuardedLocks = {
    claim: async ({ signal }) => {
      if (claim !== undefined) return claim(signal);
      held += 1;
      const release = async (left: WritersLeft) => {
        held -= 1;
        onRelease();
        released.push(left);
      };
      const onSpawned = (pid: number) => void spawned.push(pid);
      return { kind: "held", held: { lost: lost.signal, fencing, spawned: onSpawned, release } };
    },
    close: async () => undefined,
  };
  const stop = new AbortController();
  const runJob = createJobRunner({ locks, runAction, events, clock, log: silentLogger });
  return {
    clock,
    events,
    lost,
    stop,
    heldLocks: () => held,
    released,
    onRelease: (run: () => void) => (onRelease = run),
    spawned,
    run: (job: Job, dryRun = false) => runJob(job, { runId: "run", signal: stop.signal, dryRun }),
  };
}

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

  it("stops the work when a lock is lost, and calls it a failure", async () => {
    const test = setUp(untilStopped);
    const result = test.run(buildJob());
    await test.clock.advance(1);
    test.lost.abort(new AbortReason("lock-lost", "the lock at backup01:/run/x is not ours any more"));
    expect((await result).outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("not ours any more"),
    });
  });

  it("calls it a failure when only the release finds that a lock was lost, whatever the actions say", async () => {
    const lostMeanwhile = new AbortReason("lock-lost", "lock lost: backup01:/run/x: the file is gone");
    const test = setUp(async () => ok);
    test.onRelease(() => test.lost.abort(lostMeanwhile));
    expect((await test.run(buildJob())).outcome).toEqual({
      kind: "failed",
      message: "lock lost: backup01:/run/x: the file is gone",
      actionId: null,
    });
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

  it("hands the kernel locks to the actions, and their process groups to the locks", async () => {
    const seen: unknown[] = [];
    const test = setUp(async (_job, _action, context) => {
      seen.push(context.holds);
      context.onSpawned(4711);
      return ok;
    });
    await test.run(buildJob());
    expect(seen).toEqual([[{ hold: "/run/x.hold", lock: "/run/x", token: "t" }]]);
    expect(test.spawned).toEqual([4711]);
    expect(test.released).toEqual([{ survivors: [], atDestination: false }]);
  });

  it("names the processes that could not be killed when it gives the locks back", async () => {
    const test = setUp(async () => ({ ...passing, retryable: false, report: { ...report, survivors: [7, 8] } }));
    await test.run(buildJob());
    expect(test.released).toMatchObject([{ survivors: [7, 8] }]);
  });

  it.each([
    ["a copy", [report], true],
    ["a copy that was turned away", [{ ...report, turnedAway: true }], false],
    ["one that broke and another that was turned away", [report, { ...report, turnedAway: true }], true],
    ["one that was never started", [null], false],
  ])("knows whether a writer may be left at the destination: %s", async (_, reports, expected) => {
    const left = [...reports];
    const test = setUp(async () => ({ ...passing, report: left.shift() ?? null }));
    const retry = { limit: reports.length - 1, delayMs: 0, maxDelayMs: 0, backoff: 1, exitCodes: undefined };
    const result = test.run(buildJob({ actions: [buildSync({})], retry }));
    await test.clock.advance(10);
    await result;
    expect(test.released).toMatchObject([{ atDestination: expected }]);
  });

  it("takes no lock in a dry run", async () => {
    const test = setUp(
      async (_job, _action, context) => (context.dryRun ? ok : passing),
      () => Promise.reject(new Error("must not claim")),
    );
    expect((await test.run(buildJob(), true)).outcome).toEqual({ kind: "ok" });
  });
});
