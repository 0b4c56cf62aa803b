import { describe, expect, it } from "vitest";
import type { RetryPolicy } from "../../../src/config/resolved.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import { retryDelay } from "../../../src/run/retry-policy.ts";

const policy: RetryPolicy = { limit: 3, delayMs: 10_000, maxDelayMs: 30_000, backoff: 2, exitCodes: undefined };

function failed(exitCode: number | null, retryable: boolean): ActionOutcome {
  const report = { argv: [], exitCode, signal: null, stats: null, output: "" };
  return { kind: "failed", cause: "exit", message: "failed", retryable, report };
}

describe("retry policy", () => {
  it("waits longer from try to try, up to the longest delay", () => {
    const delays = [1, 2, 3, 4].map((attempt) => retryDelay(failed(30, true), attempt, policy));
    expect(delays).toEqual([10_000, 20_000, 30_000, null]);
  });

  it("does not repeat a failure that cannot pass", () => {
    expect(retryDelay(failed(1, false), 1, policy)).toBeNull();
  });

  it("repeats exactly the named codes when the job names some", () => {
    const named = { ...policy, exitCodes: [1] };
    expect(retryDelay(failed(1, false), 1, named)).toBe(10_000);
    expect(retryDelay(failed(30, true), 1, named)).toBeNull();
    expect(retryDelay(failed(null, true), 1, named)).toBeNull();
  });

  it.each([undefined, [1]])(
    "repeats nothing while processes live on that cannot be killed (codes: %s)",
    (exitCodes) => {
      const report = { argv: [], exitCode: 1, signal: null, stats: null, output: "", survivors: [42] };
      const outcome: ActionOutcome = { kind: "failed", cause: "process", message: "failed", retryable: true, report };
      expect(retryDelay(outcome, 1, { ...policy, exitCodes })).toBeNull();
      expect(retryDelay({ ...outcome, report: { ...report, survivors: [] } }, 1, { ...policy, exitCodes })).toBe(
        10_000,
      );
    },
  );

  it("repeats neither a success nor a cancelled action", () => {
    const report = { argv: [], exitCode: 0, signal: null, stats: null, output: "" };
    expect(retryDelay({ kind: "ok", report }, 1, policy)).toBeNull();
    expect(retryDelay({ kind: "cancelled", reason: "shutdown", message: "stop", report }, 1, policy)).toBeNull();
  });
});
