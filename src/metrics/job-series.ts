import type { JobState, LastJobResult } from "../model/events.ts";
import type { OutcomeKind, SkipCause } from "../model/run.ts";
import type { MetricSet } from "./metrics.ts";

/** What metrics need to know of a job. */
export interface MetricJob {
  readonly id: string;
  readonly actionIds: readonly string[];
  /** Empty for a job with one target. */
  readonly targetIds: readonly string[];
  /** Whether it has `blocks_on`: only then is the time it was blocked observed. */
  readonly blocks: boolean;
}

/** Positions are the values of `rsyncdirector_last_run_status` and `rsyncdirector_job_state`: never reorder. */
const outcomes: readonly OutcomeKind[] = ["ok", "warning", "skipped", "cancelled", "failed"];
const states: readonly JobState[] = ["idle", "queued", "waiting", "running"];
const directions = ["sent", "received"];
const skipCauses: readonly SkipCause[] = [
  ...(["block-timeout", "already-running", "disabled", "paused", "hook", "dry-run"] as const),
];

/**
 * Prometheus cannot tell a counter that is missing from one that never moved: every series exists
 * from the start, at 0.
 */
export function addJobSeries(set: MetricSet, metricJob: MetricJob): void {
  const { id, actionIds, targetIds, blocks } = metricJob;
  const job = { job_id: id };
  set.jobDuration.zero(job);
  if (blocks) set.blocked.zero(job);
  for (const metric of countersOfJob(set)) metric.inc(job, 0);
  for (const metric of [...lockGauges(set), set.lastRun, set.nextRun, set.lastDue]) metric.set(job, 0);
  set.lastSuccess.set({ ...job, target: "" }, 0);
  set.lastStatus.set(job, -1);
  set.fenced.set(job, -1);
  for (const outcome of outcomes) set.jobOutcomes.inc({ ...job, outcome }, 0);
  for (const target of transferLabels(metricJob)) {
    for (const metric of countersOfTransfer(set)) metric.inc(target, 0);
    for (const direction of directions) set.networkBytes.inc({ ...target, direction }, 0);
  }
  for (const target of targetIds) {
    set.lastSuccess.set({ ...job, target }, 0);
    set.targetStatus.set({ ...job, target }, -1);
  }
  for (const cause of skipCauses) set.jobsSkipped.inc({ ...job, cause }, 0);
  for (const action_id of actionIds) {
    for (const metric of countersOfAction(set)) metric.inc({ ...job, action_id }, 0);
  }
  setJobState(set, id, "idle");
}

/** A job that left the configuration leaves the metrics too. */
export function removeJobSeries(set: MetricSet, metricJob: MetricJob): void {
  const { id, actionIds, targetIds } = metricJob;
  const job = { job_id: id };
  const pastAndNext = [set.lastRun, set.lastStatus, set.nextRun, set.lastDue];
  const gauges = [...lockGauges(set), ...pastAndNext, set.jobState, set.fenced];
  for (const metric of [set.jobDuration, set.blocked, ...gauges, ...countersOfJob(set)]) metric.remove(job);
  for (const target of ["", ...targetIds]) set.lastSuccess.remove({ ...job, target });
  for (const target of targetIds) set.targetStatus.remove({ ...job, target });
  for (const outcome of outcomes) set.jobOutcomes.remove({ ...job, outcome });
  for (const target of transferLabels(metricJob)) {
    for (const metric of countersOfTransfer(set)) metric.remove(target);
    for (const direction of directions) set.networkBytes.remove({ ...target, direction });
  }
  for (const cause of skipCauses) set.jobsSkipped.remove({ ...job, cause });
  for (const action_id of actionIds) {
    for (const metric of countersOfAction(set)) metric.remove({ ...job, action_id });
  }
}

export function setJobState(set: MetricSet, id: string, state: JobState): void {
  set.jobState.set({ job_id: id }, states.indexOf(state));
}

/** Fills the gauges that speak of the past: after a restart, and whenever a job has ended. */
export function setLastResult(set: MetricSet, result: LastJobResult): void {
  const { jobId, targetId, outcome, finishedAt, lastSuccessAt } = result;
  const job = { job_id: jobId };
  if (lastSuccessAt !== null) set.lastSuccess.set({ ...job, target: targetId }, lastSuccessAt / 1000);
  if (targetId !== "") return set.targetStatus.set({ ...job, target: targetId }, outcomes.indexOf(outcome));
  set.lastRun.set(job, finishedAt / 1000);
  set.lastStatus.set(job, outcomes.indexOf(outcome));
}

/** Each transfer is counted once: for its target where there are several. */
function transferLabels({ id, targetIds }: MetricJob): { job_id: string; target: string }[] {
  return (targetIds.length === 0 ? [""] : targetIds).map((target) => ({ job_id: id, target }));
}

function countersOfTransfer(set: MetricSet) {
  return [set.transferredBytes, set.transferredFiles, set.deletedFiles];
}

function lockGauges(set: MetricSet) {
  return [set.lockFiles, set.lockStuck, set.lockState, set.lockHeartbeatAge, set.lockForeignAge, set.waiting];
}

function countersOfJob(set: MetricSet) {
  return [
    set.skippedForBlockTimeout,
    set.waits,
    set.trackedChanges,
    set.trackingTroubles,
    set.blockedUnknown,
    set.lockWithdrawn,
    set.lockSuspect,
    set.lockLost,
    set.lockBroken,
    set.lockSpared,
    set.scheduleMissed,
  ];
}

function countersOfAction(set: MetricSet) {
  return [set.failedAction, set.failedProcess, set.failedException, set.retries];
}
