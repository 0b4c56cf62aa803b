import { describe, expect, it } from "vitest";
import { outcomeOf, reportOf } from "../../../src/action/process-outcome.ts";
import { AbortReason } from "../../../src/base/abort.ts";
import type { ActionOutcome } from "../../../src/model/run.ts";
import type { ProcessResult } from "../../../src/process/process-contract.ts";

const ended = { stoppedBy: null, survivors: [], leftBehind: false, outputHeldOpen: false, escaped: false };
const stalled = new AbortReason("stalled", "no output and no bytes for 15m");

function judge(result: ProcessResult, signal: AbortSignal = new AbortController().signal): ActionOutcome {
  const report = reportOf(result, { argv: ["rsync"], output: "", stats: null });
  return outcomeOf(result, { name: "rsync", signal, report, judge: () => ({ kind: "ok", report }) });
}

describe("the outcome of a child process", () => {
  it("is left to the exit code when it ended by itself", () => {
    expect(judge({ kind: "exited", code: 0, ...ended })).toMatchObject({
      kind: "ok",
      report: { exitCode: 0, signal: null },
    });
  });

  it("is cancelled with the reason when it was stopped, even if it then says that all is well", () => {
    const stoppedBy = new AbortReason("lock-lost", "the lock was taken");
    expect(judge({ kind: "exited", code: 0, ...ended, stoppedBy })).toMatchObject({
      kind: "cancelled",
      reason: "lock-lost",
      message: "the lock was taken",
    });
  });

  it("is a failure when it stalled, unless somebody wanted it stopped anyway", () => {
    const result: ProcessResult = { kind: "exited", code: 20, ...ended, stoppedBy: stalled };
    expect(judge(result)).toMatchObject({ kind: "failed", cause: "process", retryable: true });
    expect(judge(result, AbortSignal.abort(stalled))).toMatchObject({ kind: "cancelled", reason: "stalled" });
  });

  it("is a failure that names them when processes cannot be killed, whatever stopped it, and is not tried again", () => {
    const survivors = [41, 42];
    expect(judge({ kind: "signalled", signal: "SIGKILL", ...ended, stoppedBy: stalled, survivors })).toMatchObject({
      kind: "failed",
      cause: "process",
      retryable: false,
      message: expect.stringContaining("41, 42"),
      report: { survivors },
    });
  });

  it("is a warning when it left processes behind", () => {
    expect(judge({ kind: "exited", code: 0, ...ended, leftBehind: true })).toMatchObject({
      kind: "warning",
      message: expect.stringContaining("they were stopped"),
    });
  });

  it("does not say that those were stopped whom nobody found", () => {
    const end = { ...ended, leftBehind: true, outputHeldOpen: true, escaped: true };
    expect(judge({ kind: "exited", code: 0, ...end })).toMatchObject({
      kind: "warning",
      message: expect.stringMatching(/held its output open; they cannot be found and may still write$/),
    });
  });

  it.each([
    ["ENOENT", false],
    ["EACCES", false],
    ["EAGAIN", true],
    ["ENOMEM", true],
  ])("that was not started for %s may be tried again: %s", (code, retryable) => {
    const error = Object.assign(new Error(code), { code });
    expect(judge({ kind: "not-started", error, ...ended })).toMatchObject({
      kind: "failed",
      cause: "process",
      retryable,
    });
  });

  it("that was stopped before it began has no report", () => {
    expect(
      judge({ kind: "not-started", error: stalled, ...ended, stoppedBy: new AbortReason("shutdown", "bye") }),
    ).toEqual({
      kind: "cancelled",
      reason: "shutdown",
      message: "bye",
      report: null,
    });
  });
});
