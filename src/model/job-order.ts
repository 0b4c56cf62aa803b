import { isSuccess } from "./run.ts";
import type { JobStatus } from "./status.ts";

/** `attention`: somebody should look. `active`: it works or waits. `off`: paused or disabled, as somebody wanted. */
export type JobGroup = "attention" | "active" | "rest" | "off";

const jobGroups: readonly JobGroup[] = ["attention", "active", "rest", "off"];

/** What is wrong with a job, from the worst on; empty: nothing is. */
export type Trouble = "unknown" | "never" | "stale" | "failed" | "lock" | "watch";

const order: readonly Trouble[] = ["unknown", "never", "stale", "failed", "lock", "watch"];

export function troublesOf(job: JobStatus): Trouble[] {
  if (!job.enabled) return [];
  const found: Record<Trouble, boolean> = {
    // A job that runs for the first time is no reason to worry; its page says that it has not copied yet.
    never: job.freshness === "never" && !(job.lastRun === null && job.activity === "running"),
    unknown: job.freshness === "unknown",
    stale: job.freshness === "stale",
    failed: job.lastRun?.outcome === "failed" || job.targets.some(({ lastOutcome }) => lastOutcome === "failed"),
    lock: job.locks.some(({ state }) => state === "stuck" || state === "suspect"),
    watch: typeof job.watch?.degraded === "string",
  };
  return order.filter((trouble) => found[trouble]);
}

export function groupOf(job: JobStatus): JobGroup {
  if (!job.enabled) return "off";
  if (troublesOf(job).length > 0) return "attention";
  if (job.activity !== "idle") return "active";
  return job.paused === null ? "rest" : "off";
}

/** The worst first; equals stay in the order of the configuration. */
export function sortJobs(jobs: readonly JobStatus[]): JobStatus[] {
  return jobs.toSorted((one, other) => rank(one) - rank(other));
}

function rank(job: JobStatus): number {
  const group = jobGroups.indexOf(groupOf(job)) * 100;
  const worst = troublesOf(job)[0];
  const activity = { running: 0, waiting: 1, queued: 2, idle: 3 }[job.activity];
  if (worst !== undefined) return group + order.indexOf(worst) * 10 + activity;
  const lastWasBad = job.lastRun !== null && !isSuccess(job.lastRun.outcome);
  return group + activity * 10 + (lastWasBad ? 0 : job.freshness === "unmeasured" ? 2 : 1);
}
