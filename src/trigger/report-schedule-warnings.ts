import type { CancelTimer, Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/resolved.ts";
import type { SchedulePlan } from "./schedule-plan.ts";
import { lookAtSchedules } from "./schedule-warnings.ts";

/** Between two plans, of which each takes about half of this: runs and long answers to scrapes go on. */
const pause = 2;

/**
 * Logs what looks odd about the plans, each warning once, a plan at a time and none before the caller
 * has gone on. Returns what ends it.
 */
export function reportScheduleWarnings(
  config: Config,
  options: { plans: readonly SchedulePlan[]; clock: Clock; log: Logger },
): CancelTimer {
  const { plans, clock, log } = options;
  const steps = lookAtSchedules(config, { plans, now: clock.now() });
  const step = () => {
    try {
      const { value = [], done } = steps.next();
      for (const warning of value) log.warn({ ...warning }, "schedule warning");
      if (done !== true) cancel = clock.setTimer(pause, step);
    } catch (error) {
      // Advice is missing then; that is no reason to stop the director.
      log.error({ error: describeError(error) }, "schedules could not be looked at");
    }
  };
  let cancel = clock.setTimer(pause, step);
  return () => cancel();
}
