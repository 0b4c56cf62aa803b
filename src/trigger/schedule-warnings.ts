import { formatDuration } from "../base/duration.ts";
import type { Config } from "../config/resolved.ts";
import { startsWithStar } from "./cron-fields.ts";
import type { CronFields } from "./cron-fields.ts";
import { parseCronTimes } from "./cron-times.ts";
import type { CronTimes } from "./cron-times.ts";
import { upcomingTimes } from "./schedule-plan.ts";
import type { SchedulePlan } from "./schedule-plan.ts";
import { formatZoned, labelText } from "./time-zone.ts";
import type { ClockChange, TimeZone } from "./time-zone.ts";

export type ScheduleWarningKind =
  | "numeric-weekday"
  | "either-day"
  | "both-days"
  | "clock-gap"
  | "clock-fold"
  | "never"
  | "long-jitter"
  | "no-jobs"
  | "no-schedule";

/** Something about a schedule that is allowed and may not be what was meant. */
export interface ScheduleWarning {
  readonly kind: ScheduleWarningKind;
  readonly jobs: readonly string[];
  /** The expression; null when it is about none or all of them. */
  readonly schedule: string | null;
  readonly message: string;
}

const year = 366 * 86_400_000;

/** Looks at every plan, each distinct expression once; `now` is wall-clock milliseconds. */
export function findScheduleWarnings(
  config: Config,
  options: { plans: readonly SchedulePlan[]; now: number },
): ScheduleWarning[] {
  const { plans, now } = options;
  const known = new Map<string, Found[]>();
  const changesOf = new Map<string, ClockChange[]>();
  const warnings: ScheduleWarning[] = [];
  for (const plan of plans) {
    const changes = changesOf.get(plan.zone.name) ?? [...clockChanges(plan.zone, now)];
    changesOf.set(plan.zone.name, changes);
    for (const times of plan.times) {
      const schedule = times.fields.expression;
      const name = JSON.stringify([schedule, plan.zone.name, plan.scheduling.cronDialect]);
      const found = known.get(name) ?? [
        ...fieldWarnings(times.fields, plan),
        ...timeWarnings(times, plan, { now, changes }),
      ];
      known.set(name, found);
      warnings.push(...found.map((warning) => ({ ...warning, jobs: plan.jobs, schedule })));
    }
    warnings.push(...jitterWarning(plan, now));
  }
  return [...warnings, ...coverageWarnings(config, plans)];
}

type Found = Pick<ScheduleWarning, "kind" | "message">;

function fieldWarnings(fields: CronFields, plan: SchedulePlan): Found[] {
  if (plan.scheduling.cronDialect === "apscheduler" || fields.nickname) return [];
  const [, , dayOfMonth, , dayOfWeek] = fields.written;
  const found: Found[] = [];
  if (/\d/.test(dayOfWeek.replace(/#\d/g, ""))) {
    found.push({
      kind: "numeric-weekday",
      message:
        "numeric weekdays count from 0 = Sunday here, and from 0 = Monday in the Python original; " +
        "write names (MON-FRI), or set cron_dialect: apscheduler for a file that comes from it",
    });
  }
  const steps = [dayOfMonth, dayOfWeek].some((field) => startsWithStar(field) && field.length > 1);
  const restricted = [dayOfMonth, dayOfWeek].every((field) => field !== "*" && field !== "?");
  if (restricted && steps) {
    found.push({
      kind: "both-days",
      message: "a day field begins with *, so a day must match both the day of month and the day of week",
    });
  } else if (restricted) {
    found.push({
      kind: "either-day",
      message:
        "both day fields are given: it runs on days that match either of them, not only on those that match both",
    });
  }
  return found;
}

function timeWarnings(
  times: CronTimes,
  plan: SchedulePlan,
  { now, changes }: { now: number; changes: readonly ClockChange[] },
): Found[] {
  const next = times.from(now).next().value;
  if (next === undefined) return [{ kind: "never", message: "there is no such day: it never runs" }];
  // With every hour named the runs keep their distance whatever the clock does.
  if (times.fields.written[1] === "*") return [];
  const found = new Map<string, Found>();
  for (const change of changes) {
    const warning = change.after > change.before ? gapWarning(times, plan, change) : foldWarning(times, plan, change);
    if (warning !== null && !found.has(warning.kind)) found.set(warning.kind, warning);
  }
  return [...found.values()];
}

function* clockChanges(zone: TimeZone, now: number): Generator<ClockChange, undefined> {
  let change = zone.nextChange(now, now + year);
  while (change !== null) {
    yield change;
    change = zone.nextChange(change.at, now + year);
  }
}

function gapWarning(times: CronTimes, plan: SchedulePlan, change: ClockChange): Found | null {
  const label = firstLabel(times, plan, change.at + change.before, change.at + change.after);
  if (label === null) return null;
  const instead = times.fields.fixed
    ? `it runs right after the change, at ${formatZoned(change.at, plan.zone)}`
    : "times with * in minute or hour are left out there";
  return { kind: "clock-gap", message: `${labelText(label)} does not exist in ${plan.zone.name}: ${instead}` };
}

function foldWarning(times: CronTimes, plan: SchedulePlan, change: ClockChange): Found | null {
  const label = firstLabel(times, plan, change.at + change.after, change.at + change.before);
  if (label === null) return null;
  const instead = times.fields.fixed ? "it runs the first time only" : "times with * in minute or hour run both times";
  return { kind: "clock-fold", message: `${labelText(label)} comes twice in ${plan.zone.name}: ${instead}` };
}

/** The first wall-clock reading in [from, to) that the expression names. */
function firstLabel(times: CronTimes, plan: SchedulePlan, from: number, to: number): number | null {
  const { expression } = times.fields;
  const labels = parseCronTimes(expression, { zone: wallClock(plan.zone), dialect: plan.scheduling.cronDialect });
  const label = labels.from(from - 1).next().value?.at;
  return label !== undefined && label < to ? label : null;
}

/** A zone in which labels and instants are the same. */
function wallClock(zone: TimeZone): TimeZone {
  return {
    name: zone.name,
    offsetAt: () => 0,
    nextChange: () => null,
    locate: (label) => ({ kind: "once", earlier: label }),
  };
}

/** The shortest interval of a schedule shows within its next times, for all but odd expressions. */
const sampledTimes = 25;

function jitterWarning(plan: SchedulePlan, now: number): ScheduleWarning[] {
  const { jitterMs } = plan.scheduling;
  if (jitterMs === 0) return [];
  const times = upcomingTimes(plan, now, sampledTimes).map((time) => time.scheduledFor);
  const shortest = Math.min(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
  if (jitterMs <= shortest) return [];
  const message = `the jitter (${formatDuration(jitterMs)}) is longer than the shortest interval (${formatDuration(shortest)})`;
  return [{ kind: "long-jitter", jobs: plan.jobs, schedule: null, message }];
}

function coverageWarnings(config: Config, plans: readonly SchedulePlan[]): ScheduleWarning[] {
  const covered = new Set(plans.flatMap((plan) => plan.jobs));
  const jobs = config.jobs.filter((job) => job.enabled && !covered.has(job.id)).map((job) => job.id);
  const warnings: ScheduleWarning[] = [];
  if (jobs.length > 0) {
    const message = "no schedule runs these jobs: they run on SIGHUP or by hand only";
    warnings.push({ kind: "no-schedule", jobs, schedule: null, message });
  }
  if (config.schedules.length > 0 && !plans.some((plan) => plan.key === "instance")) {
    const message = "cron_schedule runs nothing: every enabled job has a schedule of its own";
    warnings.push({ kind: "no-jobs", jobs: [], schedule: null, message });
  }
  return warnings;
}
