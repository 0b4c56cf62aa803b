import type { ScheduleWarning } from "../trigger/schedule-warnings.ts";

/** `home, docs: "30 2 * * *": what is odd about it`. */
export function formatScheduleWarning({ jobs, schedule, message }: ScheduleWarning): string {
  const about = [jobs.join(", "), schedule === null ? "" : JSON.stringify(schedule)].filter(Boolean);
  return [...about, message].join(": ");
}
