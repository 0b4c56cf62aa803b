import type { DueTimes } from "../../model/freshness.ts";
import { type SchedulePlan, upcomingTimes } from "../../trigger/schedule-plan.ts";

export interface DueTimesBook {
  /** The plans of another configuration. */
  replan(plans: readonly SchedulePlan[]): void;
  /** The first two times of the job's schedule after `after`, its last success at a target; undefined: it has none. */
  following(jobId: string, targetId: string, after: number): DueTimes | undefined;
}

/**
 * When copies become due again. To compute a time takes a while, and a thousand jobs are asked about at each look at
 * the status: each answer is kept until the target has succeeded again.
 */
export function keepDueTimes(): DueTimesBook {
  let byJob = new Map<string, SchedulePlan>();
  let known = new Map<string, { readonly after: number; readonly times: DueTimes }>();
  return {
    replan: (plans) => {
      byJob = new Map(plans.flatMap((plan) => plan.jobs.map((jobId) => [jobId, plan] as const)));
      known = new Map();
    },
    following: (jobId, targetId, after) => {
      const plan = byJob.get(jobId);
      if (plan === undefined) return undefined;
      const key = `${jobId}\0${targetId}`;
      const kept = known.get(key);
      if (kept?.after === after) return kept.times;
      const [first, second] = upcomingTimes(plan, after - plan.offsetMs, 2);
      const times = { due: first?.startsAt ?? null, following: second?.startsAt ?? null };
      known.set(key, { after, times });
      return times;
    },
  };
}
