import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { pretendEvents } from "../../../src/daemon/dry-run-events.ts";
import type { JobOutcome } from "../../../src/model/run.ts";
import { EventLog } from "../../support/event-log.ts";

const stats = {
  ...{ filesTotal: 9, filesCreated: 9, filesDeleted: 9, filesTransferred: 9, totalBytes: 9, transferredBytes: 9 },
  ...{ literalBytes: 9, matchedBytes: 9, sentBytes: 9, receivedBytes: 9 },
};
const report = { argv: ["rsync"], exitCode: 0, signal: null, stats, output: "" };
const of = { runId: "run", jobId: "job", at: 2 };
const skipped: JobOutcome = { kind: "skipped", cause: "dry-run", message: "dry run: nothing was copied" };

describe("the events of a director that only pretends", () => {
  const told = () => {
    const events = new EventLog();
    return { events, own: pretendEvents(events, silentLogger) };
  };

  it.each<[JobOutcome, Partial<JobOutcome>]>([
    [{ kind: "ok" }, skipped],
    [{ kind: "warning", message: "files vanished" }, skipped],
    [{ kind: "failed", message: "no such source", actionId: "sync" }, { kind: "failed" }],
    [{ kind: "cancelled", reason: "shutdown", message: "stop" }, { kind: "cancelled" }],
  ])("tell of a job that ended with %j", (outcome, expected) => {
    const { events, own } = told();
    own.emit("job:finished", { ...of, outcome, startedAt: 1 });
    const jobs = [{ jobId: "job", outcome, startedAt: 1, finishedAt: 2 }];
    const run = { runId: "run", cause: { kind: "signal" }, startedAt: 1, finishedAt: 2 } as const;
    own.emit("run:finished", { ...run, outcome: outcome.kind, jobs });
    expect(events.of("job:finished")).toMatchObject([{ outcome: expected }]);
    expect(events.of("run:finished")).toMatchObject([{ outcome: expected.kind, jobs: [{ outcome: expected }] }]);
  });

  it("tell of no transfer, and of no target that has something now", () => {
    const { events, own } = told();
    const action = { ...of, actionId: "sync", targetId: "one", attempt: 1, startedAt: 1 };
    own.emit("action:finished", { ...action, outcome: { kind: "ok", report } });
    own.emit("target:result", { ...of, targetId: "one", outcome: { kind: "ok" } });
    own.emit("target:result", { ...of, targetId: "two", outcome: { kind: "failed", message: "it is away" } });
    expect(events.of("action:finished")).toMatchObject([{ outcome: { report: { argv: ["rsync"], stats: null } } }]);
    expect(events.of("target:result")).toMatchObject([{ targetId: "two", outcome: { kind: "failed" } }]);
  });
});
