import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents, LastJobResult } from "../model/events.ts";
import type { ActionOutcome, LockPlace, RunCause } from "../model/run.ts";
import { isSuccess, saysSomething } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import { addJobSeries, removeJobSeries, setJobState, setLastResult, type MetricJob } from "./job-series.ts";
import type { MetricSet } from "./metrics.ts";
import { recordLeases } from "./record-leases.ts";

/** What is under way in one job, to be counted when it ends. */
interface OpenJob {
  waitedMs: number;
  failures: Map<string, (ActionOutcome & { kind: "failed" })["cause"]>;
}

export interface MetricsRecorder {
  /** The jobs of a (re)loaded configuration: new series appear, those of jobs that left go. */
  setJobs(jobs: readonly MetricJob[]): void;
  /** What was known before this process started. */
  restore(results: readonly LastJobResult[]): void;
  /** What grows by itself, such as ages; to be called before each scrape. `now` is wall time. */
  refresh(now: number): void;
  stop(): void;
}

/** Feeds the metrics from the director's events. Events of jobs that are not configured are ignored. */
export function recordMetrics(options: {
  events: Emitter<DirectorEvents>;
  set: MetricSet;
  rsyncId: string;
}): MetricsRecorder {
  const { events, set, rsyncId } = options;
  const jobs = new Map<string, MetricJob>();
  const open = new Map<string, OpenJob>();
  const held = new Map<string, Set<string>>();
  const stuck = new Map<string, Set<string>>();

  const leases = recordLeases({ events, set, isKnown: (id) => jobs.has(id) });

  set.runsCompleted.inc({ rsync_id: rsyncId }, 0);
  set.runsCoalesced.inc(0);
  for (const cause of ["schedule", "signal", "request", "watch"] satisfies RunCause["kind"][]) {
    set.runsStarted.inc({ cause }, 0);
  }

  const openJob = (event: { runId: string; jobId: string }): OpenJob => {
    const key = `${event.runId} ${event.jobId}`;
    const job = open.get(key) ?? { waitedMs: 0, failures: new Map() };
    open.set(key, job);
    return job;
  };

  function finishJob(event: DirectorEvents["job:finished"]): void {
    const { jobId, outcome, startedAt, at } = event;
    const key = `${event.runId} ${jobId}`;
    const begun = open.get(key);
    open.delete(key);
    if (!isOpen(open, jobId)) setJobState(set, jobId, "idle");
    const job = { job_id: jobId };
    set.jobOutcomes.inc({ ...job, outcome: outcome.kind });
    if (outcome.kind === "skipped") {
      set.jobsSkipped.inc({ ...job, cause: outcome.cause });
      if (outcome.cause === "block-timeout") set.skippedForBlockTimeout.inc(job);
    }
    if (begun !== undefined) {
      set.jobDuration.observe(job, Math.max(0, at - startedAt) / 1000);
      if (jobs.get(jobId)?.blocks === true) set.blocked.observe(job, begun.waitedMs / 1000);
    }
    if (outcome.kind === "failed" && outcome.actionId !== null) {
      countFailure(jobId, outcome.actionId, begun?.failures.get(outcome.actionId));
    }
    if (!saysSomething(outcome)) return;
    const lastSuccessAt = isSuccess(outcome.kind) ? at : null;
    setLastResult(set, { jobId, targetId: "", outcome: outcome.kind, finishedAt: at, lastSuccessAt });
  }

  function noteTarget({ jobId, targetId, outcome, at }: DirectorEvents["target:result"]): void {
    if (jobs.get(jobId)?.targetIds.includes(targetId) !== true) return;
    const lastSuccessAt = isSuccess(outcome.kind) ? at : null;
    setLastResult(set, { jobId, targetId, outcome: outcome.kind, finishedAt: at, lastSuccessAt });
  }

  function countFailure(job_id: string, action_id: string, cause: string | undefined): void {
    const metric = cause === "exit" ? set.failedAction : cause === "process" ? set.failedProcess : set.failedException;
    metric.inc({ job_id, action_id });
  }

  function setLocks(locks: Map<string, Set<string>>, jobId: string, key: string, present: boolean): number {
    const keys = locks.get(jobId) ?? new Set();
    locks.set(jobId, keys);
    if (present) keys.add(key);
    else keys.delete(key);
    return keys.size;
  }

  function setLock(event: { jobId: string; place: LockPlace; token: string }, isHeld: boolean, isStuck: boolean): void {
    const key = JSON.stringify([event.place.host, event.place.path, event.token]);
    set.lockFiles.set({ job_id: event.jobId }, setLocks(held, event.jobId, key, isHeld));
    set.lockStuck.set({ job_id: event.jobId }, setLocks(stuck, event.jobId, key, isStuck));
  }

  function ifKnown<Event extends { jobId: string }>(listener: (event: Event) => void): (event: Event) => void {
    return (event) => void (jobs.has(event.jobId) && listener(event));
  }
  const known = (ids: readonly string[]) => ids.filter((id) => jobs.has(id));

  const unsubscribe = [
    events.on("run:queued", (event) => known(event.jobs).forEach((id) => becomeQueued(set, id, open))),
    events.on("run:coalesced", () => set.runsCoalesced.inc()),
    events.on("run:started", ({ cause }) => set.runsStarted.inc({ cause: cause.kind })),
    events.on("run:finished", () => set.runsCompleted.inc({ rsync_id: rsyncId })),
    events.on(
      "job:started",
      ifKnown((event) => {
        openJob(event);
        setJobState(set, event.jobId, "running");
      }),
    ),
    events.on(
      "job:blocked",
      ifKnown((event) => {
        set.waits.inc({ job_id: event.jobId });
        if (event.state === "unknown") set.blockedUnknown.inc({ job_id: event.jobId });
        setJobState(set, event.jobId, "waiting");
      }),
    ),
    events.on(
      "job:unblocked",
      ifKnown((event) => {
        openJob(event).waitedMs = event.waitedMs;
        setJobState(set, event.jobId, "running");
      }),
    ),
    events.on("target:result", noteTarget),
    events.on("job:finished", ifKnown(finishJob)),
    events.on(
      "changes:recorded",
      ifKnown(({ jobId, files }) => set.trackedChanges.inc({ job_id: jobId }, files)),
    ),
    events.on(
      "changes:trouble",
      ifKnown(({ jobId }) => set.trackingTroubles.inc({ job_id: jobId })),
    ),
    events.on(
      "lock:acquired",
      ifKnown((event) => setLock(event, true, false)),
    ),
    events.on(
      "lock:lost",
      ifKnown((event) => setLock(event, false, false)),
    ),
    events.on(
      "lock:released",
      ifKnown((event) => setLock(event, false, false)),
    ),
    events.on(
      "lock:recovered",
      ifKnown((event) => setLock(event, false, false)),
    ),
    events.on(
      "job:fencing",
      ifKnown(({ jobId, fencing }) => set.fenced.set({ job_id: jobId }, { fenced: 1, unfenced: 0, none: -1 }[fencing])),
    ),
    events.on(
      "lock:stuck",
      ifKnown((event) => setLock(event, true, true)),
    ),
    events.on(
      "lock:withdrawn",
      ifKnown((event) => {
        set.lockWithdrawn.inc({ job_id: event.jobId });
        setLock(event, false, false);
      }),
    ),
    events.on(
      "action:finished",
      ifKnown((event) => {
        const { outcome } = event;
        if (outcome.kind === "failed") openJob(event).failures.set(event.actionId, outcome.cause);
        countTransfer(set, { job_id: event.jobId, target: event.targetId }, outcome.report?.stats ?? null);
      }),
    ),
    events.on(
      "action:retrying",
      ifKnown((event) => set.retries.inc({ job_id: event.jobId, action_id: event.actionId })),
    ),
    events.on("schedule:next", ({ jobs: ids, last, next }) => {
      for (const job_id of known(ids)) {
        set.nextRun.set({ job_id }, (next ?? 0) / 1000);
        if (last !== null) set.lastDue.set({ job_id }, last / 1000);
      }
    }),
    events.on("schedule:missed", (event) => known(event.jobs).forEach((job_id) => set.scheduleMissed.inc({ job_id }))),
    events.on("history:state", ({ ok }) => set.historyOk.set(ok ? 1 : 0)),
  ];

  return {
    setJobs: (wanted) => {
      const after = new Map(wanted.map((job) => [job.id, job]));
      for (const job of jobs.values()) {
        const next = after.get(job.id);
        if (next === undefined || !hasSameSeries(job, next)) {
          removeJobSeries(set, job);
          leases.forget(job.id);
          jobs.delete(job.id);
        }
      }
      for (const job of wanted) {
        if (!jobs.has(job.id)) addJobSeries(set, job);
        if (isOpen(open, job.id)) setJobState(set, job.id, "running");
        jobs.set(job.id, job);
        set.nextRun.set({ job_id: job.id }, 0);
      }
    },
    restore: (results) =>
      results
        .filter(
          ({ jobId, targetId }) => ["", ...(jobs.get(jobId)?.targetIds ?? [])].includes(targetId) && jobs.has(jobId),
        )
        .forEach((result) => setLastResult(set, result)),
    refresh: (now) => leases.refresh(now),
    stop: () => {
      unsubscribe.forEach((end) => end());
      leases.stop();
    },
  };
}

function hasSameSeries(one: MetricJob, other: MetricJob): boolean {
  const isSame = (some: readonly string[], others: readonly string[]) => some.join() === others.join();
  return (
    one.blocks === other.blocks && isSame(one.actionIds, other.actionIds) && isSame(one.targetIds, other.targetIds)
  );
}

function isOpen(open: ReadonlyMap<string, OpenJob>, jobId: string): boolean {
  return [...open.keys()].some((key) => key.endsWith(` ${jobId}`));
}

/** A job that runs, and is asked for once more, is shown as running. */
function becomeQueued(set: MetricSet, jobId: string, open: ReadonlyMap<string, OpenJob>): void {
  if (!isOpen(open, jobId)) setJobState(set, jobId, "queued");
}

function countTransfer(set: MetricSet, labels: { job_id: string; target: string }, stats: TransferStats | null): void {
  if (stats === null) return;
  set.transferredBytes.inc(labels, stats.transferredBytes ?? 0);
  set.transferredFiles.inc(labels, stats.filesTransferred ?? 0);
  set.deletedFiles.inc(labels, stats.filesDeleted ?? 0);
  set.networkBytes.inc({ ...labels, direction: "sent" }, stats.sentBytes ?? 0);
  set.networkBytes.inc({ ...labels, direction: "received" }, stats.receivedBytes ?? 0);
}
