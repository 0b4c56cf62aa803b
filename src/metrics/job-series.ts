import type { JobState, LastJobResult } from "../model/events.ts";
import type { OutcomeKind, SkipCause } from "../model/run.ts";
import type { MetricSet } from "./metrics.ts";

/** What metrics need to know of a job. */
export interface MetricJob {
  readonly id: string;
  readonly actionIds: readonly string[];
  /** Whether it has `blocks_on`: only then is the time it was blocked observed. */
  readonly blocks: boolean;
}

/** Positions are the values of `rsyncdirector_last_run_status` and `rsyncdirector_job_state`: never reorder. */
const outcomes: readonly OutcomeKind[] = ["ok", "warning", "skipped", "cancelled", "failed"];
const states: readonly JobState[] = ["idle", "queued", "waiting", "running"];
const skipCauses: readonly SkipCause[] = ["block-timeout", "already-running", "disabled"];

/**
 * Prometheus cannot tell a counter that is missing from one that never moved: every series exists
 * from the start, at 0.
 */
export function addJobSeries(set: MetricSet, { id, actionIds, blocks }: MetricJob): void {
  const job = { job_id: id };
  set.jobDuration.zero(job);
  if (blocks) set.blocked.zero(job);
  for (const metric of countersOfJob(set)) metric.inc(job, 0);
  for (const metric of [...lockGauges(set), set.lastRun, set.nextRun]) metric.set(job, 0);
  set.lastSuccess.set({ ...job, target: "" }, 0);
  set.lastStatus.set(job, -1);
  set.fenced.set(job, -1);
  for (const outcome of outcomes) set.jobOutcomes.inc({ ...job, outcome }, 0);
  for (const direction of ["sent", "received"]) set.networkBytes.inc({ ...job, direction }, 0);
  for (const cause of skipCauses) set.jobsSkipped.inc({ ...job, cause }, 0);
  for (const action_id of actionIds) {
    for (const metric of countersOfAction(set)) metric.inc({ ...job, action_id }, 0);
  }
  setJobState(set, id, "idle");
}

/** A job that left the configuration leaves the metrics too. */
export function removeJobSeries(set: MetricSet, { id, actionIds }: MetricJob): void {
  const job = { job_id: id };
  const gauges = [...lockGauges(set), set.lastRun, set.lastStatus, set.jobState, set.nextRun, set.fenced];
  for (const metric of [set.jobDuration, set.blocked, ...gauges, ...countersOfJob(set)]) metric.remove(job);
  set.lastSuccess.remove({ ...job, target: "" });
  for (const outcome of outcomes) set.jobOutcomes.remove({ ...job, outcome });
  for (const direction of ["sent", "received"]) set.networkBytes.remove({ ...job, direction });
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
  const job = { job_id: result.jobId };
  set.lastRun.set(job, result.finishedAt / 1000);
  if (result.lastSuccessAt !== null) set.lastSuccess.set({ ...job, target: "" }, result.lastSuccessAt / 1000);
  set.lastStatus.set(job, outcomes.indexOf(result.outcome));
}

function lockGauges(set: MetricSet) {
  return [set.lockFiles, set.lockStuck, set.lockState, set.lockHeartbeatAge, set.lockForeignAge, set.waiting];
}

function countersOfJob(set: MetricSet) {
  return [
    set.skippedForBlockTimeout,
    set.waits,
    set.transferredBytes,
    set.transferredFiles,
    set.deletedFiles,
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
