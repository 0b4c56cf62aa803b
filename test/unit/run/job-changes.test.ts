import { describe, expect, it } from "vitest";
import { AbortReason } from "../../../src/base/abort.ts";
import type { ChangeDestination, SyncScope } from "../../../src/model/changes.ts";
import type { ActionOutcome, RunCause } from "../../../src/model/run.ts";
import type { CarriedChanges, ChangesFeed } from "../../../src/model/changes.ts";
import { buildSync } from "../../support/run-action.ts";
import { ok, passing, report, setUp } from "./job-runner-fixture.ts";
import { jobFor, openActions, settle } from "./targets-fixture.ts";

const watched: RunCause = { kind: "watch", path: "/srv" };
const lasting = { ...passing, retryable: false } as ActionOutcome;

/** A journal that has so many batches left for each target, and notes what it is told. */
function createFeed(left: Record<string, number | "deferred">, waits = false) {
  const told: string[] = [];
  let more: () => void = () => undefined;
  const begin = ({ targetId }: ChangeDestination, cause: RunCause): CarriedChanges => {
    told.push(`${targetId} begins (${cause.kind})`);
    const batches = left[targetId] ?? 0;
    if (batches === "deferred") {
      return { kind: "deferred", until: 0, message: "left alone until 10:00 after its last failure" };
    }
    if (batches === 0) return { kind: "nothing" };
    left[targetId] = batches - 1;
    return {
      kind: "carry",
      scope: scopeOf(targetId, batches),
      arrived: () => void told.push(`${targetId} arrived`),
      failed: (message) => void told.push(`${targetId} failed: ${message}`),
    };
  };
  const untilPending: ChangesFeed["untilPending"] = (_, signal) =>
    new Promise((resolve) => {
      more = () => resolve(true);
      signal.addEventListener("abort", () => resolve(false));
    });
  const feed: ChangesFeed = waits ? { begin, untilPending } : { begin };
  return { feed, told, left, add: () => more() };
}

function scopeOf(targetId: string, batch: number): SyncScope {
  return { kind: "paths", changes: [{ path: `/srv/${targetId}-${batch}`, kind: "changed" }] };
}

describe("a watched job", () => {
  it("carries to each target what is pending there, and says what arrived and what did not", async () => {
    const { feed, told } = createFeed({ a: 1, b: 1 });
    const scopes: SyncScope[] = [];
    const test = setUp(
      async (_job, _action, { scope, target }) => {
        scopes.push(scope);
        return target.id === "b" ? lasting : ok;
      },
      undefined,
      feed,
    );
    await test.run(jobFor(["a", "b"]), false, watched);
    expect(scopes).toEqual([scopeOf("a", 1), scopeOf("b", 1)]);
    expect(told).toContain("a arrived");
    expect(told).toContain("b failed: connection lost");
  });

  it("asks as who asked for the run, so that a schedule gets a complete sync", async () => {
    const { feed, told } = createFeed({ a: 1, b: 1 });
    await setUp(async () => ok, undefined, feed).run(jobFor(["a", "b"]), false, {
      ...{ kind: "schedule", schedule: "* * * * *", scheduledFor: 0, missed: false },
    });
    expect(told.filter((line) => line.includes("begins"))).toEqual(["a begins (schedule)", "b begins (schedule)"]);
  });

  it("is ok when nothing is pending, and starts nothing", async () => {
    const test = setUp(() => Promise.reject(new Error("must not run")), undefined, createFeed({}).feed);
    expect((await test.run(jobFor(["a", "b"]), false, watched)).outcome).toEqual({ kind: "ok" });
    expect(test.events.names()).toEqual(["job:started", "target:result", "target:result", "job:finished"]);
  });

  it("leaves a target alone that is put off, and counts it as failed", async () => {
    const { feed } = createFeed({ a: 1, b: "deferred" });
    const test = setUp(async () => ok, undefined, feed);
    expect((await test.run(jobFor(["a", "b"]), false, watched)).outcome).toEqual({
      kind: "failed",
      message: "home: b: left alone until 10:00 after its last failure; 1 of 2 targets succeeded",
      actionId: null,
    });
    expect(test.events.of("action:finished").map(({ targetId }) => targetId)).toEqual(["a"]);
  });

  it.each<[string, ActionOutcome, string]>([
    [
      "files that vanished meanwhile",
      { kind: "warning", message: "w", report: { ...report, exitCode: 24 } },
      "arrived",
    ],
    ["processes left behind", { kind: "warning", message: "w", report }, "arrived"],
    [
      "an exit code that only counts as one",
      { kind: "warning", message: "w", report: { ...report, exitCode: 23 } },
      "failed: w",
    ],
  ])("tells of a warning whether everything is there: %s", async (_, outcome, expected) => {
    const { feed, told } = createFeed({ a: 1 });
    const test = setUp(async () => outcome, undefined, feed);
    expect((await test.run(jobFor(["a"]), false, watched)).outcome.kind).toBe("warning");
    expect(told).toEqual(["a begins (watch)", `a ${expected}`]);
  });

  it("says once what became of a batch, whatever many tries it took", async () => {
    const { feed, told } = createFeed({ a: 1 });
    let tries = 0;
    const test = setUp(async () => ((tries += 1) < 3 ? passing : ok), undefined, feed);
    const retry = { limit: 5, delayMs: 10, maxDelayMs: 10, backoff: 1, exitCodes: undefined };
    const result = test.run(jobFor(["a"], { retry }), false, watched);
    await test.clock.advance(100);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(told).toEqual(["a begins (watch)", "a arrived"]);
  });

  it("says that a sync which was stopped, or crashed, did not arrive", async () => {
    const [stopped, crashed] = [createFeed({ a: 1 }), createFeed({ a: 1 })];
    const actions = openActions();
    const test = setUp(actions.runAction, undefined, stopped.feed);
    const result = test.run(jobFor(["a"]), false, watched);
    await settle();
    test.stop.abort(new AbortReason("timed-out", "it took too long"));
    await result;
    expect(stopped.told).toContain("a failed: it took too long");
    await setUp(() => Promise.reject(new Error("bug")), undefined, crashed.feed).run(jobFor(["a"]), false, watched);
    expect(crashed.told).toContain("a failed: internal error");
  });

  it.each(["shutdown", "replaced", "cancelled"] as const)(
    "does not blame the target for a sync that was %s",
    async (kind) => {
      const { feed, told } = createFeed({ a: 1 });
      const actions = openActions();
      const test = setUp(actions.runAction, undefined, feed);
      const result = test.run(jobFor(["a"]), false, watched);
      await settle();
      test.stop.abort(new AbortReason(kind, "no fault of it"));
      await result;
      expect(told).toEqual(["a begins (watch)"]);
    },
  );

  it("says nothing of a dry run", async () => {
    const { feed, told } = createFeed({ a: 1, b: 1 });
    const test = setUp(async (_job, _action, { target }) => (target.id === "a" ? ok : lasting), undefined, feed);
    await test.run(jobFor(["a", "b"]), true, watched);
    expect(told).toEqual(["a begins (watch)", "b begins (watch)"]);
  });

  it("carries to a fast target what comes while a slow one is at its first sync, each under a try of its own", async () => {
    const { feed, told } = createFeed({ fast: 3, slow: 2 });
    const actions = openActions();
    const test = setUp(actions.runAction, undefined, feed);
    const result = test.run(jobFor(["fast", "slow"]), false, watched);
    await actions.end("home to fast", ok);
    await actions.end("home to fast", ok);
    expect(actions.open()).toEqual(["home to slow", "home to fast"]);
    await actions.end("home to slow", ok);
    await actions.end("home to fast", ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    // What is left for the slow one comes with the next run: a job that never ended would keep its locks for ever.
    expect(told.filter((line) => line === "slow begins (watch)")).toHaveLength(1);
    const tries = actions.calls.map(({ name, context }) => `${name} ${context.attempt}`);
    expect(tries).toEqual(["home to fast 1", "home to slow 1", "home to fast 2", "home to fast 3"]);
    const fast = test.events.of("target:result").filter(({ targetId }) => targetId === "fast");
    expect(fast.map(({ outcome }) => outcome.kind)).toEqual(["ok", "ok", "ok"]);
  });

  it("is done with a target when there is nothing more, unless the journal can tell of more", async () => {
    const without = createFeed({ fast: 1, slow: 1 });
    const actions = openActions();
    const plain = setUp(actions.runAction, undefined, without.feed).run(jobFor(["fast", "slow"]), false, watched);
    await actions.end("home to fast", ok);
    without.left["fast"] = 1;
    await settle();
    expect(actions.open()).toEqual(["home to slow"]);
    await actions.end("home to slow", ok);
    expect((await plain).outcome).toEqual({ kind: "ok" });

    const waiting = createFeed({ fast: 1, slow: 1 }, true);
    const more = openActions();
    const result = setUp(more.runAction, undefined, waiting.feed).run(jobFor(["fast", "slow"]), false, watched);
    await more.end("home to fast", ok);
    expect(more.open()).toEqual(["home to slow"]);
    waiting.left["fast"] = 1;
    waiting.add();
    await settle();
    expect(more.open()).toEqual(["home to slow", "home to fast"]);
    await more.end("home to fast", ok);
    await more.end("home to slow", ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(waiting.told.filter((line) => line === "fast arrived")).toHaveLength(2);
  });

  it("does not take a place from a target that has not had its first sync", async () => {
    const { feed } = createFeed({ a: 2, b: 1, c: 1 });
    const actions = openActions();
    const test = setUp(actions.runAction, undefined, feed);
    const result = test.run(jobFor(["a", "b", "c"], { maxParallel: 2 }), false, watched);
    await actions.end("home to a", ok);
    expect(actions.open()).toEqual(["home to b", "home to c"]);
    await actions.end("home to b", ok);
    expect(actions.open()).toEqual(["home to c", "home to a"]);
    await actions.end("home to a", lasting);
    await actions.end("home to c", ok);
    expect((await result).outcome).toMatchObject({ message: "home: a: connection lost; 2 of 3 targets succeeded" });
  });

  it("takes only one turn in a dry run, which leaves everything pending", async () => {
    const { feed, told } = createFeed({ fast: 3, slow: 1 });
    const actions = openActions();
    const result = setUp(actions.runAction, undefined, feed).run(jobFor(["fast", "slow"]), true, watched);
    await actions.end("home to fast", ok);
    expect(actions.open()).toEqual(["home to slow"]);
    await actions.end("home to slow", ok);
    expect((await result).outcome).toEqual({ kind: "ok" });
    expect(told).toEqual(["fast begins (watch)", "slow begins (watch)"]);
  });

  it("takes only one turn in any other run", async () => {
    const { feed, told } = createFeed({ a: 5, b: 5 });
    const actions = openActions();
    const result = setUp(actions.runAction, undefined, feed).run(jobFor(["a", "b"]));
    await actions.end("home to a", ok);
    expect(actions.open()).toEqual(["home to b"]);
    await actions.end("home to b", ok);
    await result;
    expect(told.filter((line) => line.startsWith("a begins"))).toHaveLength(1);
  });

  it("asks for each action by itself", async () => {
    const asked: string[] = [];
    const feed: ChangesFeed = {
      begin: ({ jobId, actionId, targetId }) => {
        asked.push(`${jobId} ${actionId} ${targetId}`);
        return { kind: "nothing" };
      },
    };
    const actions = [buildSync({ id: "one" }), buildSync({ id: "two" })];
    await setUp(async () => ok, undefined, feed).run(jobFor(["a"], { actions }), false, watched);
    expect(asked).toEqual(["job one a", "job two a"]);
  });
});
