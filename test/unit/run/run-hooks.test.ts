import { describe, expect, it } from "vitest";
import type { HookRequest } from "../../../src/action/hook-command.ts";
import { AbortReason, abortReasonOf } from "../../../src/base/abort.ts";
import type { Hook } from "../../../src/config/resolved-notify.ts";
import type { HookMoment } from "../../../src/config/notice-words.ts";
import type { Action } from "../../../src/config/resolved.ts";
import type { GuardedClaim } from "../../../src/lock/hold/hold-locks.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import type { TransferStats } from "../../../src/model/transfer.ts";
import { buildJob } from "../../support/build-job.ts";
import { ok, report, setUp, untilStopped } from "./job-runner-fixture.ts";

function hook(on: HookMoment | HookMoment[], name: string, more: Partial<Hook> = {}): Hook {
  return { on: [on].flat(), run: [[name]], shell: false, onlyIfChanged: false, timeoutMs: 1000, ...more };
}

const sync: Action = {
  kind: "sync",
  id: "copy",
  sources: ["/a/"],
  dest: "/b",
  opts: [],
  rsync: {},
  extensions: [],
  parallel: 1,
};
const every: HookMoment[] = ["start", "success", "warning", "failure", "skipped", "blocked", "aborted", "finally"];
const all = every.map((moment) => hook(moment, moment));
const failedFor = (message: string, retryable = false, survivors: number[] = []): ActionOutcome => ({
  kind: "failed",
  cause: "exit",
  message,
  retryable,
  report: { ...report, exitCode: retryable ? 75 : 1, survivors },
});
const finalFailure: ActionOutcome = {
  kind: "failed",
  cause: "exit",
  message: "connection lost",
  retryable: false,
  report,
};

interface HookTest {
  hooks?: readonly Hook[];
  action?: ActionOutcome | "until stopped";
  hookEnds?: (request: HookRequest) => ActionOutcome | Promise<ActionOutcome>;
  claim?: (signal: AbortSignal) => Promise<GuardedClaim>;
  actions?: readonly Action[];
}

/** Runs a job and notes what ran in which order; `+` while the locks are held. */
function begin({ hooks = all, action = ok, hookEnds = () => ok, claim, actions = [sync] }: HookTest) {
  const order: string[] = [];
  const requests: HookRequest[] = [];
  const note = (name: string) => void order.push(`${test.heldLocks() > 0 ? "+" : "-"}${name}`);
  const test = setUp(
    async (job, of, context) => {
      note(of.id);
      return action === "until stopped" ? untilStopped(job, of, context) : action;
    },
    claim,
    undefined,
    async (request) => {
      note(request.argv[0] ?? "");
      requests.push(request);
      return hookEnds(request);
    },
  );
  const job = buildJob({ hooks, actions });
  return { ...test, order, requests, result: test.run(job) };
}

describe("the hooks of a job", () => {
  it.each<[string, HookTest, string[], object]>([
    ["a success", {}, ["+start", "+copy", "+success", "+finally"], { kind: "ok" }],
    [
      "a warning",
      { action: { kind: "warning", message: "m", report } },
      ["+start", "+copy", "+warning", "+finally"],
      { kind: "warning" },
    ],
    ["a failure", { action: finalFailure }, ["+start", "+copy", "+failure", "+finally"], { kind: "failed" }],
    [
      "a start that fails",
      { hookEnds: ({ argv }) => (argv[0] === "start" ? failedFor("start ended with 1") : ok) },
      ["+start", "+failure", "+finally"],
      { kind: "failed", message: "hook for start: start ended with 1", actionId: null },
    ],
    [
      "a start that asks for a better time",
      { hookEnds: ({ argv }) => (argv[0] === "start" ? failedFor("start ended with 75", true) : ok) },
      ["+start", "+skipped", "+finally"],
      { kind: "skipped", cause: "hook" },
    ],
    [
      "a last hook that fails",
      { hookEnds: ({ argv }) => (argv[0] === "success" ? failedFor("success ended with 1") : ok) },
      ["+start", "+copy", "+success", "+finally"],
      { kind: "warning", message: "hook for success: success ended with 1" },
    ],
    [
      "a last hook that fails after a failure",
      { action: finalFailure, hookEnds: ({ argv }) => (argv[0] === "finally" ? failedFor("no") : ok) },
      ["+start", "+copy", "+failure", "+finally"],
      { kind: "failed", message: "copy: connection lost" },
    ],
    [
      "locks that cannot be had",
      { claim: async () => ({ kind: "failed", message: "no" }) },
      ["-failure"],
      { kind: "failed", message: "no" },
    ],
  ])("run for %s", async (_what, given, order, outcome) => {
    const test = begin(given);
    expect((await test.result).outcome).toMatchObject(outcome);
    expect(test.order).toEqual(order);
    expect(test.heldLocks()).toBe(0);
  });

  it("run one program after the other until one fails, and the next hook of that moment all the same at the end", async () => {
    const hooks = [hook("finally", "", { run: [["one"], ["two"], ["three"]] }), hook("finally", "other")];
    const test = begin({ hooks, hookEnds: ({ argv }) => (argv[0] === "two" ? failedFor("two ended with 1") : ok) });
    expect((await test.result).outcome).toEqual({ kind: "warning", message: "hook for finally: two ended with 1" });
    expect(test.order).toEqual(["+copy", "+one", "+two", "+other"]);
    expect(test.requests.map(({ hookId }) => hookId)).toEqual(["hook:finally", "hook:finally:2", "hook:finally:4"]);
  });

  it("are told about the job, and are recorded like actions", async () => {
    const test = begin({ action: finalFailure });
    await test.result;
    const last = test.requests.at(-1);
    expect(last?.variables).toEqual({
      RSYNCDIRECTOR_HOOK: "finally",
      RSYNCDIRECTOR_TARGETS: "local",
      RSYNCDIRECTOR_FAILED_TARGETS: "local",
      RSYNCDIRECTOR_LOCKS: "held",
      RSYNCDIRECTOR_OUTCOME: "failed",
      RSYNCDIRECTOR_MESSAGE: "copy: connection lost",
      RSYNCDIRECTOR_CHANGED: "unknown",
    });
    const finished = test.events.of("action:finished").map(({ actionId }) => actionId);
    expect(finished).toEqual(["hook:start", "copy", "hook:failure", "hook:finally"]);
  });

  const stats = (files: number | null) =>
    ({ filesTransferred: files, filesCreated: 0, filesDeleted: 0 }) as TransferStats;
  it.each([
    ["something was transferred", stats(1), true],
    ["nothing was", stats(0), false],
    ["nobody can say", null, true],
    ["rsync did not say", stats(null), true],
  ])("of `when: changed` run if %s", async (_what, of, runs) => {
    const hooks = [hook("success", "tell", { onlyIfChanged: true })];
    const test = begin({ hooks, action: { kind: "ok", report: { ...report, stats: of } } });
    await test.result;
    expect(test.order).toEqual(["+copy", ...(runs ? ["+tell"] : [])]);
  });

  it("keep the locks of a job whose hook left a process that cannot be killed", async () => {
    const test = begin({ hooks: [hook("finally", "umount")], hookEnds: () => failedFor("hangs", false, [4711]) });
    test.unkillable.add(4711);
    await test.clock.advance(600_000);
    expect(test.heldLocks()).toBe(1);
    test.shutdown.abort(new AbortReason("shutdown", "the director stops"));
    await test.result;
    expect(test.released).toMatchObject([{ survivors: [4711] }]);
  });

  it("that tidy up run although the job is stopped, and are stopped only after a time of their own", async () => {
    let stoppedBecause = "";
    const test = begin({
      action: "until stopped",
      hookEnds: ({ argv, signal }) =>
        argv[0] !== "finally"
          ? ok
          : new Promise((resolve) => {
              signal.addEventListener("abort", () => {
                stoppedBecause = abortReasonOf(signal).message;
                resolve(failedFor("finally was stopped"));
              });
            }),
    });
    await test.clock.advance(0);
    test.stop.abort(new AbortReason("shutdown", "the director stops"));
    await test.clock.advance(9999);
    expect(test.order).toEqual(["+start", "+copy", "+aborted", "+finally"]);
    expect(stoppedBecause).toBe("");
    await test.clock.advance(1);
    expect((await test.result).outcome).toMatchObject({ kind: "cancelled", reason: "shutdown" });
    expect(stoppedBecause).toBe("the director stops, and its hooks took too long");
    expect(test.heldLocks()).toBe(0);
  });

  it("for a wait run once beside it, without locks, and are stopped when it is over", async () => {
    let endWait: (claim: GuardedClaim) => void = () => undefined;
    const wait = new Promise<GuardedClaim>((resolve) => (endWait = resolve));
    let wasStopped = false;
    const test = begin({
      hooks: [hook("blocked", "tell")],
      claim: () => wait,
      hookEnds: ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            wasStopped = true;
            resolve(failedFor("stopped"));
          });
        }),
    });
    await test.clock.advance(0);
    const blocked = { runId: "run", jobId: "job", place: { host: null, path: "/run/x" }, state: "held" } as const;
    for (const at of [1, 2]) test.events.emit("job:blocked", { ...blocked, owner: "o", detail: "held by o", at });
    test.events.emit("job:blocked", { ...blocked, jobId: "other", owner: "o", detail: "", at: 3 });
    await test.clock.advance(0);
    expect(test.order).toEqual(["-tell"]);
    expect(test.requests[0]?.variables).toMatchObject({
      RSYNCDIRECTOR_MESSAGE: "held by o",
      RSYNCDIRECTOR_LOCKS: "none",
    });
    endWait({ kind: "failed", message: "no" });
    await test.result;
    expect(wasStopped).toBe(true);
    expect(test.order).toEqual(["-tell"]);
  });

  it("are told that a lock is lost, when others may hold it already", async () => {
    const test = begin({ hooks: [hook("start", "start"), hook("finally", "tidy")], action: "until stopped" });
    await test.clock.advance(0);
    test.lost.abort(new AbortReason("lock-lost", "the file now belongs to somebody else"));
    await test.result;
    expect(test.requests.map(({ argv, variables }) => [argv[0], variables["RSYNCDIRECTOR_LOCKS"]])).toEqual([
      ["start", "held"],
      ["tidy", "lost"],
    ]);
  });
});
