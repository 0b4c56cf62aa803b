import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/resolved.ts";
import type { SchedulePlan } from "./schedule-plan.ts";
import { lookAtSchedules } from "./schedule-warnings.ts";

/**
 * Logs what looks odd about the plans, each warning once: from the next turn of the event loop on, one
 * plan a turn, because runs and scrapes must not wait for it. Returns what ends it.
 */
export function reportScheduleWarnings(
  config: Config,
  options: { plans: readonly SchedulePlan[]; now: number; log: Logger },
): () => void {
  const { plans, now, log } = options;
  const steps = lookAtSchedules(config, { plans, now });
  const step = () => {
    try {
      const { value = [], done } = steps.next();
      for (const warning of value) log.warn({ ...warning }, "schedule warning");
      if (done !== true) pending = setImmediate(step);
    } catch (error) {
      // Advice is missing then; that is no reason to stop the director.
      log.error({ error: describeError(error) }, "schedules could not be looked at");
    }
  };
  let pending = setImmediate(step);
  return () => clearImmediate(pending);
}
