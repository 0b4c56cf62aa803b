import { formatDuration } from "../base/duration.ts";
import { isStar, openPattern, originalMeansOtherWeekdays, startsWithStar } from "../config/cron-fields.ts";
import type { CronFields } from "../config/cron-fields.ts";
import type { Config } from "../config/resolved.ts";
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

interface Look {
  readonly plans: readonly SchedulePlan[];
  /** Wall-clock milliseconds. */
  readonly now: number;
}

/** Looks at every plan. What is known from an expression alone, as that its day never comes, the loader says. */
export function findScheduleWarnings(config: Config, look: Look): ScheduleWarning[] {
  return [...lookAtSchedules(config, look)].flat();
}

/** The same in one short step for each plan: a daemon with many of them has other things to do in between. */
export function* lookAtSchedules(config: Config, { plans, now }: Look): Generator<ScheduleWarning[], undefined> {
  const known = new Map<string, Found[]>();
  const changesOf = new Map<string, ClockChange[]>();
  for (const plan of plans) {
    const warnings: ScheduleWarning[] = [];
    const changes = changesOf.get(plan.zone.name) ?? [...clockChanges(plan.zone, now)];
    changesOf.set(plan.zone.name, changes);
    for (const times of plan.times) {
      const schedule = times.fields.expression;
      const name = JSON.stringify([schedule, plan.zone.name, plan.scheduling.cronDialect]);
      const found = known.get(name) ?? [
        ...fieldWarnings(times.fields, plan),
        ...clockWarnings(times.fields, plan.zone, changes),
      ];
      known.set(name, found);
      warnings.push(...found.map((warning) => ({ ...warning, jobs: plan.jobs, schedule })));
    }
    warnings.push(...jitterWarning(plan, now));
    yield warnings;
  }
  yield coverageWarnings(config, plans);
}

type Found = Pick<ScheduleWarning, "kind" | "message">;

function fieldWarnings(fields: CronFields, plan: SchedulePlan): Found[] {
  if (plan.scheduling.cronDialect === "apscheduler" || fields.nickname) return [];
  const [, , dayOfMonth, , dayOfWeek] = fields.written;
  const found: Found[] = [];
  if (!plan.scheduling.dialectChosen && originalMeansOtherWeekdays(fields)) {
    found.push({
      kind: "numeric-weekday",
      message:
        "numeric weekdays count from 0 = Sunday here, and from 0 = Monday in the Python original; " +
        "write names (MON-FRI), or set cron_dialect: apscheduler for a file that comes from it, else linux",
    });
  }
  const steps = [dayOfMonth, dayOfWeek].some((field) => startsWithStar(field) && field.length > 1);
  const restricted = [dayOfMonth, dayOfWeek].every((field) => !isStar(field));
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

function clockWarnings(fields: CronFields, zone: TimeZone, changes: readonly ClockChange[]): Found[] {
  // With every hour named the runs keep their distance whatever the clock does.
  if (fields.written[1] === "*" || changes.length === 0) return [];
  const pattern = openPattern(fields);
  /** The first wall-clock reading in [from, to) that the expression names. */
  const firstLabel = (from: number, to: number): string | null => {
    const label = pattern.nextRun(new Date(from - 1))?.getTime();
    return label !== undefined && label < to ? labelText(label) : null;
  };
  const found = new Map<string, Found>();
  for (const { at, before, after } of changes) {
    const kind = after > before ? "clock-gap" : "clock-fold";
    const label = firstLabel(at + Math.min(before, after), at + Math.max(before, after));
    if (label === null || found.has(kind)) continue;
    const message = kind === "clock-gap" ? gapMessage(fields, zone, at) : foldMessage(fields, zone);
    found.set(kind, { kind, message: `${label} ${message}` });
  }
  return [...found.values()];
}

function gapMessage(fields: CronFields, zone: TimeZone, at: number): string {
  const instead = fields.fixed
    ? `it runs right after the change, at ${formatZoned(at, zone)}`
    : "times with * in minute or hour are left out there";
  return `does not exist in ${zone.name}: ${instead}`;
}

function foldMessage(fields: CronFields, zone: TimeZone): string {
  const instead = fields.fixed ? "it runs the first time only" : "times with * in minute or hour run both times";
  return `comes twice in ${zone.name}: ${instead}`;
}

function* clockChanges(zone: TimeZone, now: number): Generator<ClockChange, undefined> {
  let change = zone.nextChange(now, now + year);
  while (change !== null) {
    yield change;
    change = zone.nextChange(change.at, now + year);
  }
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
  // A job that watches is run by changes.
  const idle = config.jobs.filter((job) => job.enabled && job.watch === undefined && !covered.has(job.id));
  const jobs = idle.map((job) => job.id);
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
