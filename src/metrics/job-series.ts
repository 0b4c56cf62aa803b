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
  const { job, whole, targets, transfers, ...labels } = labelsOf(metricJob);
  set.jobDuration.zero(job);
  if (metricJob.blocks) set.blocked.zero(job);
  for (const metric of countersOfJob(set)) metric.inc(job, 0);
  for (const metric of [...lockGauges(set), set.lastRun, set.nextRun, set.lastDue]) metric.set(job, 0);
  set.lastStatus.set(job, -1);
  set.fenced.set(job, -1);
  for (const outcome of labels.outcomes) set.jobOutcomes.inc(outcome, 0);
  for (const cause of labels.causes) set.jobsSkipped.inc(cause, 0);
  for (const target of [whole, ...targets]) set.lastSuccess.set(target, 0);
  for (const target of targets) set.targetStatus.set(target, -1);
  for (const target of transfers) for (const metric of countersOfTransfer(set)) metric.inc(target, 0);
  for (const direction of labels.directions) set.networkBytes.inc(direction, 0);
  for (const action of labels.actions) for (const metric of countersOfAction(set)) metric.inc(action, 0);
  setJobState(set, metricJob.id, "idle");
}

/** A job that left the configuration leaves the metrics too. */
export function removeJobSeries(set: MetricSet, metricJob: MetricJob): void {
  const { job, whole, targets, transfers, ...labels } = labelsOf(metricJob);
  const pastAndNext = [set.lastRun, set.lastStatus, set.nextRun, set.lastDue];
  const gauges = [...lockGauges(set), ...pastAndNext, set.jobState, set.fenced];
  for (const metric of [set.jobDuration, set.blocked, ...gauges, ...countersOfJob(set)]) metric.remove(job);
  for (const outcome of labels.outcomes) set.jobOutcomes.remove(outcome);
  for (const cause of labels.causes) set.jobsSkipped.remove(cause);
  for (const target of [whole, ...targets]) set.lastSuccess.remove(target);
  for (const target of targets) set.targetStatus.remove(target);
  for (const target of transfers) for (const metric of countersOfTransfer(set)) metric.remove(target);
  for (const direction of labels.directions) set.networkBytes.remove(direction);
  for (const action of labels.actions) for (const metric of countersOfAction(set)) metric.remove(action);
}

/**
 * The labels of its series. Each is made once and shared by the metrics that have it, for prom-client keeps them, and
 * none by spreading another: V8 (of Node 20) gives each object that is made so a hidden class of its own, several times
 * the size of the object.
 */
function labelsOf({ id, actionIds, targetIds }: MetricJob) {
  const whole = { job_id: id, target: "" };
  const targets = targetIds.map((target) => ({ job_id: id, target }));
  // Each transfer is counted once: for its target where there are several.
  const transfers = targets.length === 0 ? [whole] : targets;
  return {
    job: { job_id: id },
    whole,
    targets,
    transfers,
    directions: transfers.flatMap(({ target }) => directions.map((direction) => ({ job_id: id, target, direction }))),
    outcomes: outcomes.map((outcome) => ({ job_id: id, outcome })),
    causes: skipCauses.map((cause) => ({ job_id: id, cause })),
    actions: actionIds.map((action_id) => ({ job_id: id, action_id })),
  };
}

export function setJobState(set: MetricSet, id: string, state: JobState): void {
  set.jobState.set({ job_id: id }, states.indexOf(state));
}

/** Fills the gauges that speak of the past: after a restart, and whenever a job has ended. */
export function setLastResult(set: MetricSet, result: LastJobResult): void {
  const { jobId, targetId, outcome, finishedAt, lastSuccessAt } = result;
  const job = { job_id: jobId };
  const target = { job_id: jobId, target: targetId };
  if (lastSuccessAt !== null) set.lastSuccess.set(target, lastSuccessAt / 1000);
  if (targetId !== "") return set.targetStatus.set(target, outcomes.indexOf(outcome));
  set.lastRun.set(job, finishedAt / 1000);
  set.lastStatus.set(job, outcomes.indexOf(outcome));
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
