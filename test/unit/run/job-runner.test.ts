import { describe, expect, it } from "vitest";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { RunAction } from "../../../src/action/action.ts";
import type { Block, Job } from "../../../src/config/resolved.ts";
import type { ClaimResult, JobLocks } from "../../../src/lock/job-locks.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { createJobRunner } from "../../../src/run/job-runner.ts";
import { buildCommand, buildJob } from "../../support/build-job.ts";
import { EventLog } from "../../support/event-log.ts";
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

function setUp(runAction: RunAction, claim?: (signal: AbortSignal) => Promise<ClaimResult>) {
  const clock = new FakeClock();
  const events = new EventLog();
  const lost = new AbortController();
  const shutdown = new AbortController();
  const kept: string[] = [];
  const troubles: string[] = [];
  const unkillable = new Set<number>();
  let held = 0;
  const locks: JobLocks = {
    claim: async ({ signal }) => {
      if (claim !== undefined) return claim(signal);
      held += 1;
      const release = async () => {
        held -= 1;
        return troubles;
      };
      const keep = (detail: string) => void kept.push(detail);
      return { kind: "held", held: { places: [], lost: lost.signal, release, keep } };
    },
    close: async () => undefined,
  };
  const stop = new AbortController();
  const runJob = createJobRunner({
    locks,
    runAction,
    trackProcesses: (pids) => () => pids.filter((pid) => unkillable.has(pid)),
    events,
    clock,
    log: silentLogger,
  });
  return {
    clock,
    events,
    lost,
    stop,
    shutdown,
    kept,
    troubles,
    unkillable,
    heldLocks: () => held,
    run: (job: Job, dryRun = false) =>
      runJob(job, { runId: "run", signal: stop.signal, shutdown: shutdown.signal, dryRun }),
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

  it("leaves the locks where they are when the director must stop before such a process has ended", async () => {
    const hung = { ...report, survivors: [42] };
    const test = setUp(async () => ({ kind: "cancelled", reason: "shutdown", message: "stop", report: hung }));
    test.unkillable.add(42);
    const result = test.run(buildJob());
    await test.clock.advance(1000);
    test.shutdown.abort(new AbortReason("shutdown", "the director stops"));
    await result;
    expect(test.heldLocks()).toBe(1);
    expect(test.kept).toEqual(["processes 42 cannot be killed and may still write"]);
  });

  it("does not call a job ok whose lock could not be freed", async () => {
    const test = setUp(async () => ok);
    test.troubles.push("could not free the lock backup01:/run/x");
    expect((await test.run(buildJob())).outcome).toEqual({
      kind: "warning",
      message: "could not free the lock backup01:/run/x",
    });
  });

  it("takes no lock in a dry run", async () => {
    const test = setUp(
      async (_job, _action, context) => (context.dryRun ? ok : passing),
      () => Promise.reject(new Error("must not claim")),
    );
    expect((await test.run(buildJob(), true)).outcome).toEqual({ kind: "ok" });
  });
});
