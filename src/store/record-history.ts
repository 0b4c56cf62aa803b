import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { DatabaseKeeper, HistoryWrite } from "./database-keeper.ts";
import { pruneHistory, type Retention } from "./retention.ts";
import {
  packOutput,
  recordAction,
  recordJobEnd,
  recordJobStart,
  recordLastResult,
  recordRunEnd,
  recordRunStart,
  type JobFacts,
  type RunFacts,
} from "./run-records.ts";

interface OpenJob extends JobFacts {
  waitedMs: number | null;
  /** Of the actions under way, by id, target and attempt. */
  readonly argv: Map<string, readonly string[]>;
}

interface OpenRun {
  readonly facts: RunFacts;
  readonly jobs: Map<string, OpenJob>;
}

/** Rows without output are small; this is what one takes in memory, roughly. */
const rowBytes = 1000;
const pruneDelayMs = 1000;
const pruneStepMs = 100;
/** The whole director waits while the disk is written, and the first child of a run would wait with it. */
const startDelayMs = 50;

/**
 * Writes what happens to the history. That a run has ended is on disk before the listeners after this one hear of it;
 * that it began is soon after, and its jobs and actions follow within moments, several in one transaction. Whoever asks
 * the history gets all of it at any time. Returns what ends it.
 */
export function recordHistory(options: {
  events: Emitter<DirectorEvents>;
  keeper: DatabaseKeeper;
  retention: Retention;
  /** Names this process, so that after a crash its unfinished runs can be told from living ones. */
  owner: string;
  clock: Clock;
  /** From when ages are counted back (ms). */
  believedNow: () => number;
}): () => void {
  const { events, keeper, retention, owner, clock, believedNow } = options;
  const open = new Map<string, OpenRun>();
  let cancelStart: CancelTimer | undefined;
  let cancelPrune: CancelTimer | undefined;

  const write = (apply: HistoryWrite["apply"], bytes = 0) => keeper.write({ bytes: rowBytes + bytes, apply });

  function openRun(facts: Omit<RunFacts, "owner">): OpenRun {
    const run = open.get(facts.runId) ?? { facts: { ...facts, owner }, jobs: new Map() };
    open.set(facts.runId, run);
    return run;
  }

  /** A job of a run whose start nobody told us is still recorded, with what is known. */
  function openJob(event: { runId: string; jobId: string }, startedAt: number): OpenJob {
    const unknown = { runId: event.runId, cause: { kind: "request", by: "unknown" }, jobs: [], startedAt } as const;
    const run = open.get(event.runId) ?? openRun(unknown);
    const job = run.jobs.get(event.jobId) ?? {
      run: run.facts,
      jobId: event.jobId,
      startedAt,
      waitedMs: null,
      argv: new Map(),
    };
    run.jobs.set(event.jobId, job);
    return job;
  }

  function writeStarts(): void {
    cancelStart = undefined;
    keeper.flush();
  }

  function prune(): void {
    const now = believedNow();
    const more = keeper.attempt((database) => pruneHistory(database, { retention, now }));
    cancelPrune = more === true ? clock.setTimer(pruneStepMs, prune) : undefined;
  }

  const unsubscribe = [
    events.on("run:started", ({ runId, cause, jobs, at }) => {
      const { facts } = openRun({ runId, cause, jobs, startedAt: at });
      write((database) => void recordRunStart(database, facts));
      cancelStart ??= clock.setTimer(startDelayMs, writeStarts);
    }),
    events.on("job:started", (event) => {
      const job = openJob(event, event.at);
      write((database) => void recordJobStart(database, job));
    }),
    events.on("job:unblocked", (event) => {
      openJob(event, event.at).waitedMs = event.waitedMs;
    }),
    events.on("action:started", (event) => {
      openJob(event, event.at).argv.set(keyOf(event), event.argv);
    }),
    events.on("action:finished", (event) => {
      const { actionId, targetId, attempt, startedAt, outcome } = event;
      const job = openJob(event, startedAt);
      const key = keyOf(event);
      const argv = outcome.report?.argv ?? job.argv.get(key) ?? [];
      job.argv.delete(key);
      const output = packOutput(outcome.report);
      const kept = outcome.report === null ? outcome : { ...outcome, report: { ...outcome.report, output: "" } };
      const action = { job, actionId, targetId, attempt, argv, startedAt, finishedAt: event.at, outcome: kept };
      write((database) => recordAction(database, action, output), output?.byteLength);
    }),
    events.on("target:result", ({ jobId, targetId, outcome, at }) => {
      const result = { jobId, targetId, outcome: outcome.kind, finishedAt: at };
      write((database) => recordLastResult(database, result));
    }),
    events.on("job:finished", (event) => {
      const job = openJob(event, event.startedAt);
      const end = { outcome: event.outcome, finishedAt: event.at, waitedMs: job.waitedMs };
      write((database) => recordJobEnd(database, job, end));
    }),
    events.on("run:finished", ({ runId, cause, startedAt, finishedAt, outcome, jobs }) => {
      const { facts } = openRun({ runId, cause, jobs: jobs.map(({ jobId }) => jobId), startedAt });
      open.delete(runId);
      write((database) => recordRunEnd(database, facts, outcome, finishedAt));
      keeper.flush();
      cancelPrune ??= clock.setTimer(pruneDelayMs, prune);
    }),
  ];

  return () => {
    for (const end of unsubscribe) end();
    cancelStart?.();
    if (cancelPrune === undefined) return;
    cancelPrune();
    // Who does one run and ends has no quiet moment after it, and would never delete anything.
    prune();
    cancelPrune?.();
  };
}

function keyOf({ actionId, targetId, attempt }: { actionId: string; targetId: string; attempt: number }): string {
  return JSON.stringify([actionId, targetId, attempt]);
}
