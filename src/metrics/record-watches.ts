import type { Emitter } from "../base/emitter.ts";
import { pendingByTarget, type PendingSummary } from "../model/changes.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { MetricSet } from "./metrics.ts";

/** What metrics need to know of a job that watches. */
export interface WatchedMetricJob {
  readonly id: string;
  readonly targetIds: readonly string[];
}

/** Feeds the metrics of watched jobs; jobs that do not watch have none of them. */
export function recordWatches(options: {
  events: Emitter<DirectorEvents>;
  set: MetricSet;
  jobs: readonly WatchedMetricJob[];
}): {
  /** The jobs of another configuration: new series appear, those of jobs that left go. */
  setJobs(jobs: readonly WatchedMetricJob[]): void;
  refresh(pending: readonly PendingSummary[], now: number): void;
  stop(): void;
} {
  const { events, set } = options;
  let jobs: ReadonlyMap<string, WatchedMetricJob> = new Map();
  const setJobs = (list: readonly WatchedMetricJob[]) => {
    const wanted = new Map(list.map((job) => [job.id, job]));
    for (const job of jobs.values()) {
      const after = wanted.get(job.id);
      if (after === undefined) removeSeries(set, job);
      else removeTargets(set, { ...job, targetIds: job.targetIds.filter((id) => !after.targetIds.includes(id)) });
    }
    for (const job of list) addSeries(set, job, jobs.get(job.id));
    jobs = wanted;
  };
  setJobs(options.jobs);
  const isKnown = (jobId: string) => jobs.has(jobId);
  const unsubscribe = [
    events.on("watch:state", ({ jobId, state }) => {
      if (!isKnown(jobId)) return;
      set.watchDegraded.set({ job_id: jobId }, state.degraded === null ? 0 : 1);
      set.watchDirectories.set({ job_id: jobId }, state.directories);
    }),
    events.on("watch:batch", ({ jobId, files }) => {
      if (!isKnown(jobId)) return;
      if (files === null) set.watchFullSyncs.inc({ job_id: jobId });
      else set.watchChanges.inc({ job_id: jobId }, files);
    }),
  ];
  return {
    setJobs,
    refresh: (pending, now) => {
      const pendingAt = pendingByTarget(pending);
      for (const { id, targetIds } of jobs.values()) {
        for (const target of targetIds) {
          const own = pendingAt(id, target);
          const unknown = own.some(({ files }) => files === null);
          const files = unknown ? -1 : own.reduce((sum, summary) => sum + (summary.files ?? 0), 0);
          const oldestAt = own.reduce((oldest, summary) => Math.min(oldest, summary.oldestAt), now);
          set.pendingFiles.set({ job_id: id, target }, files);
          set.oldestPending.set({ job_id: id, target }, Math.max(0, now - oldestAt) / 1000);
        }
      }
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

function addSeries(set: MetricSet, { id, targetIds }: WatchedMetricJob, before: WatchedMetricJob | undefined): void {
  if (before === undefined) {
    for (const gauge of [set.watchDegraded, set.watchDirectories]) gauge.set({ job_id: id }, 0);
    for (const counter of [set.watchChanges, set.watchFullSyncs]) counter.inc({ job_id: id }, 0);
  }
  for (const target of targetIds) {
    if (before?.targetIds.includes(target) === true) continue;
    for (const gauge of [set.pendingFiles, set.oldestPending]) gauge.set({ job_id: id, target }, 0);
  }
}

function removeSeries(set: MetricSet, job: WatchedMetricJob): void {
  const metrics = [set.watchDegraded, set.watchDirectories, set.watchChanges, set.watchFullSyncs];
  for (const metric of metrics) metric.remove({ job_id: job.id });
  removeTargets(set, job);
}

function removeTargets(set: MetricSet, { id, targetIds }: WatchedMetricJob): void {
  for (const target of targetIds) {
    for (const gauge of [set.pendingFiles, set.oldestPending]) gauge.remove({ job_id: id, target });
  }
}
