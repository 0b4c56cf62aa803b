import { Emitter } from "../../src/base/emitter.ts";
import type { DirectorEvents } from "../../src/model/events.ts";
import type { ActionOutcome, ActionReport, JobOutcome, OutcomeKind, RunCause } from "../../src/model/run.ts";
import type { TransferStats } from "../../src/model/transfer.ts";

export function newEvents(): Emitter<DirectorEvents> {
  return new Emitter<DirectorEvents>((error) => {
    throw error;
  });
}

export const noStats: TransferStats = {
  filesTotal: null,
  filesCreated: null,
  filesDeleted: null,
  filesTransferred: null,
  totalBytes: null,
  transferredBytes: null,
  literalBytes: null,
  matchedBytes: null,
  sentBytes: null,
  receivedBytes: null,
};

export function report(overrides: Partial<ActionReport> = {}): ActionReport {
  return { argv: ["rsync", "-a", "/src/", "/dst/"], exitCode: 0, signal: null, stats: null, output: "", ...overrides };
}

export interface SampleRun {
  runId: string;
  at: number;
  cause?: RunCause;
  jobs: { id: string; outcome?: JobOutcome; action?: ActionOutcome; waitedMs?: number }[];
}

/** Emits the events of a whole run, each job with one action, as the director does. */
export function emitRun(events: Emitter<DirectorEvents>, sample: SampleRun): void {
  const { runId, at, cause = { kind: "signal" } } = sample;
  emitRunStart(events, sample);
  const results = sample.jobs.map(({ id: jobId, outcome = { kind: "ok" }, action, waitedMs }) => {
    events.emit("job:started", { runId, jobId, at });
    if (waitedMs !== undefined) events.emit("job:unblocked", { runId, jobId, waitedMs, outcome: "free", at });
    const of = { runId, jobId, actionId: "copy", targetId: "", attempt: 1 };
    const done = action ?? { kind: "ok", report: report() };
    events.emit("action:started", { ...of, argv: done.report?.argv ?? [], at });
    events.emit("action:finished", { ...of, outcome: done, startedAt: at, at: at + 50 });
    events.emit("job:finished", { runId, jobId, outcome, startedAt: at, at: at + 100 });
    return { jobId, outcome, startedAt: at, finishedAt: at + 100 };
  });
  const outcome: OutcomeKind = results.find((job) => job.outcome.kind !== "ok")?.outcome.kind ?? "ok";
  events.emit("run:finished", { runId, cause, startedAt: at, finishedAt: at + 200, outcome, jobs: results });
}

export function emitRunStart(events: Emitter<DirectorEvents>, { runId, at, cause, jobs }: SampleRun): void {
  events.emit("run:started", { runId, jobs: jobs.map(({ id }) => id), cause: cause ?? { kind: "signal" }, at });
}
