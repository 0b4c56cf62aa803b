import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunSize } from "../model/run-size.ts";
import { isSuccess } from "../model/run.ts";
import type { MetricSet } from "./metrics.ts";

/** A run is compared with so many before it, and not with fewer than the second number. */
export const comparedRuns = { most: 20, fewest: 5 } as const;

const unknown = -1;

interface OpenJob {
  bytes: number | null;
  waitedMs: number;
}

export interface AnomalyRecorder {
  /** The jobs of a (re)loaded configuration; returns those that are new, of which nothing is known yet. */
  setJobs(jobs: readonly string[]): readonly string[];
  /** The last successful runs of a job before this process started, oldest first. */
  restore(jobId: string, runs: readonly RunSize[]): void;
  stop(): void;
}

/**
 * Compares each successful run of a job with those before it. Jobs that watch are left out by the caller: what they
 * carry is what has changed, now little and now much. Events of other jobs are ignored.
 */
export function recordAnomalies({ events, set }: { events: Emitter<DirectorEvents>; set: MetricSet }): AnomalyRecorder {
  const past = new Map<string, readonly RunSize[]>();
  const gauges = [set.lastRunBytes, set.lastRunDuration, set.runBytesRatio, set.runDurationRatio];
  const open = new Map<string, OpenJob>();
  const openJob = ({ runId, jobId }: { runId: string; jobId: string }): OpenJob => {
    const key = JSON.stringify([runId, jobId]);
    const job = open.get(key) ?? { bytes: null, waitedMs: 0 };
    open.set(key, job);
    return job;
  };

  function show(job_id: string, size: RunSize | undefined, before: readonly RunSize[]): void {
    const job = { job_id };
    set.lastRunBytes.set(job, size?.bytes ?? unknown);
    set.lastRunDuration.set(job, size === undefined ? unknown : size.durationMs / 1000);
    const bytesBefore = before.flatMap(({ bytes }) => bytes ?? []);
    const durationsBefore = before.map(({ durationMs }) => durationMs);
    set.runBytesRatio.set(job, ratioToMedian(size?.bytes ?? null, bytesBefore));
    set.runDurationRatio.set(job, ratioToMedian(size?.durationMs ?? null, durationsBefore));
  }

  const isKnown = ({ jobId }: { jobId: string }) => past.has(jobId);

  const unsubscribe = [
    events.on("job:unblocked", (event) => void (isKnown(event) && (openJob(event).waitedMs = event.waitedMs))),
    events.on("action:finished", (event) => {
      const bytes = event.outcome.report?.stats?.transferredBytes ?? null;
      if (bytes === null || !isKnown(event)) return;
      const job = openJob(event);
      job.bytes = (job.bytes ?? 0) + bytes;
    }),
    events.on("job:finished", (event) => {
      if (!isKnown(event)) return;
      const { bytes, waitedMs } = openJob(event);
      open.delete(JSON.stringify([event.runId, event.jobId]));
      if (!isSuccess(event.outcome.kind)) return;
      const size = { bytes, durationMs: Math.max(0, event.at - event.startedAt - waitedMs) };
      const before = past.get(event.jobId) ?? [];
      show(event.jobId, size, before);
      past.set(event.jobId, [...before, size].slice(-comparedRuns.most));
    }),
  ];
  return {
    setJobs: (jobs) => {
      const wanted = new Set(jobs);
      for (const id of past.keys()) {
        if (wanted.has(id)) continue;
        past.delete(id);
        for (const gauge of gauges) gauge.remove({ job_id: id });
      }
      const added = jobs.filter((id) => !past.has(id));
      for (const id of added) {
        past.set(id, []);
        show(id, undefined, []);
      }
      return added;
    },
    restore: (jobId, runs) => {
      if (!past.has(jobId)) return;
      show(jobId, runs.at(-1), runs.slice(0, -1).slice(-comparedRuns.most));
      past.set(jobId, runs.slice(-comparedRuns.most));
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

/** -1 where nothing can be said: too few values to compare with, or a median of 0 that something has passed. */
export function ratioToMedian(value: number | null, others: readonly number[]): number {
  if (value === null || others.length < comparedRuns.fewest) return unknown;
  const sorted = others.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  if (median === 0) return value === 0 ? 1 : unknown;
  return value / median;
}
