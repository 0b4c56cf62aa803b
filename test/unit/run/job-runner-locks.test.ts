import { describe, expect, it } from "vitest";
import { AbortReason } from "../../../src/base/abort.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { buildJob } from "../../support/build-job.ts";
import { buildSync } from "../../support/run-action.ts";
import { ok, report, setUp, untilStopped } from "./job-runner-fixture.ts";

const failing: ActionOutcome & { kind: "failed" } = {
  kind: "failed",
  cause: "exit",
  message: "",
  retryable: true,
  report: null,
};

describe("job runner and its locks", () => {
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

  it("begins no action when a lock is lost already as it is handed over", async () => {
    const begun: string[] = [];
    const test = setUp(async (_job, action) => {
      begun.push(action.id);
      return ok;
    });
    test.lost.abort(new AbortReason("lock-lost", "the lock at backup01:/run/x is not ours any more"));
    expect((await test.run(buildJob())).outcome).toMatchObject({
      kind: "failed",
      message: expect.stringContaining("not ours any more"),
    });
    expect(begun).toEqual([]);
    expect(test.heldLocks()).toBe(0);
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
    expect(test.released).toEqual([{ survivors: [], atTargets: [] }]);
  });

  it.each([
    ["a copy", [report], true],
    ["a copy that was turned away", [{ ...report, turnedAway: true }], false],
    ["one that broke and another that was turned away", [report, { ...report, turnedAway: true }], true],
    ["one that was never started", [null], false],
  ])("knows whether a writer may be left at the destination: %s", async (_, reports, expected) => {
    const left = [...reports];
    const test = setUp(async (): Promise<ActionOutcome> => ({ ...failing, report: left.shift() ?? null }));
    const retry = { limit: reports.length - 1, delayMs: 0, maxDelayMs: 0, backoff: 1, exitCodes: undefined };
    const result = test.run(buildJob({ actions: [buildSync({})], retry }));
    await test.clock.advance(10);
    await result;
    expect(test.released).toMatchObject([{ atTargets: expected ? ["local"] : [] }]);
  });

  it("keeps the locks, and is not over, while a process that cannot be killed may still write", async () => {
    const hung = { ...report, survivors: [41, 42] };
    const failed: ActionOutcome = {
      kind: "failed",
      cause: "process",
      message: "hangs",
      retryable: false,
      report: hung,
    };
    const test = setUp(async () => failed);
    test.unkillable.add(41).add(42);
    const result = test.run(buildJob());
    await test.clock.advance(3_600_000);
    expect(test.heldLocks()).toBe(1);
    expect(test.events.of("job:finished")).toEqual([]);
    test.unkillable.clear();
    await test.clock.advance(5000);
    expect((await result).outcome.kind).toBe("failed");
    expect(test.heldLocks()).toBe(0);
  });

  it("hands over the processes that still live when the director must stop before such a process has ended", async () => {
    const hung = { ...report, survivors: [42] };
    const test = setUp(async () => ({ kind: "cancelled", reason: "shutdown", message: "stop", report: hung }));
    test.unkillable.add(42);
    const result = test.run(buildJob());
    await test.clock.advance(1000);
    test.shutdown.abort(new AbortReason("shutdown", "the director stops"));
    await result;
    expect(test.released).toEqual([{ survivors: [42], atTargets: [] }]);
  });

  it("does not call a job ok whose lock could not be freed", async () => {
    const test = setUp(async () => ok);
    test.troubles.push("could not free the lock backup01:/run/x");
    expect((await test.run(buildJob())).outcome).toEqual({
      kind: "warning",
      message: "could not free the lock backup01:/run/x",
    });
  });
});
