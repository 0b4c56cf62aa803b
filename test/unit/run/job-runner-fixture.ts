import { abortReasonOf } from "../../../src/base/abort.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { RunAction } from "../../../src/action/action.ts";
import type { RunHook } from "../../../src/action/hook-command.ts";
import type { Job } from "../../../src/config/resolved.ts";
import type { GuardedClaim, GuardedLocks } from "../../../src/lock/hold/hold-locks.ts";
import type { Fencing, WritersLeft } from "../../../src/model/hold.ts";
import type { ActionOutcome, RunCause } from "../../../src/model/run.ts";
import type { ChangesFeed } from "../../../src/model/changes.ts";
import { createJobRunner } from "../../../src/run/job-runner.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export const report = { argv: ["true"], exitCode: 0, signal: null, stats: null, output: "" };
export const ok: ActionOutcome = { kind: "ok", report };
export const passing: ActionOutcome = {
  kind: "failed",
  cause: "exit",
  message: "connection lost",
  retryable: true,
  report: { ...report, exitCode: 12 },
};

/** An action that ends only when its signal does. */
export const untilStopped: RunAction = (_job, _action, { signal }) =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      const { kind, message } = abortReasonOf(signal);
      resolve({ kind: "cancelled", reason: kind, message, report: null });
    });
  });

export function setUp(
  runAction: RunAction,
  claim?: (signal: AbortSignal) => Promise<GuardedClaim>,
  feed?: ChangesFeed,
  runHook: RunHook = async () => ok,
) {
  const clock = new FakeClock();
  const events = new EventLog();
  const lost = new AbortController();
  const shutdown = new AbortController();
  const troubles: string[] = [];
  const unkillable = new Set<number>();
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
        return troubles;
      };
      const onSpawned = (pid: number) => void spawned.push(pid);
      return { kind: "held", held: { lost: lost.signal, fencingOf: () => fencing, spawned: onSpawned, release } };
    },
    close: async () => undefined,
  };
  const stop = new AbortController();
  const runJob = createJobRunner({
    locks,
    runAction,
    runHook,
    feed,
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
    troubles,
    unkillable,
    heldLocks: () => held,
    released,
    onRelease: (run: () => void) => (onRelease = run),
    spawned,
    run: (job: Job, dryRun = false, cause: RunCause = { kind: "signal" }) =>
      runJob(job, { runId: "run", cause, signal: stop.signal, shutdown: shutdown.signal, dryRun }),
  };
}
