import { createHash } from "node:crypto";
import type { Config, Scheduling } from "../config/resolved.ts";
import { parseCronTimes } from "./cron-times.ts";
import type { CronTimes } from "./cron-times.ts";
import { openTimeZone } from "./time-zone.ts";
import type { TimeZone } from "./time-zone.ts";

/** Jobs that start together, and when. */
export interface SchedulePlan {
  /** Stable name in the ledger: `instance`, or `job:<id>`. */
  readonly key: string;
  readonly jobs: readonly string[];
  readonly times: readonly CronTimes[];
  readonly zone: TimeZone;
  readonly scheduling: Scheduling;
  /** This plan's share of the jitter: a start comes so much after its time, each day the same. */
  readonly offsetMs: number;
}

export interface PlannedTime {
  /** The expression that names this time. */
  schedule: string;
  /** The time as the expression says it (ms). */
  scheduledFor: number;
  /** When the run is to start: `scheduledFor` and the jitter. */
  startsAt: number;
  /** See `CronTime.localLabel`. */
  localLabel: string | null;
}

/**
 * The plans of a configuration. The instance's expressions run, as one run and in order, all enabled
 * jobs that have no schedule of their own; every other enabled job has a plan to itself.
 * Throws an `OperatorError` for an expression or a time zone that cannot be read.
 */
export function planSchedules(config: Config, options: { hostname: string }): SchedulePlan[] {
  const openZone = remember((timezone: string | undefined) => openTimeZone(timezone));
  const readTimes = remember((expression: string, dialect: Scheduling["cronDialect"], timezone: string | undefined) =>
    parseCronTimes(expression, { zone: openZone(timezone), dialect }),
  );
  const plan = (key: string, jobs: readonly string[], schedules: readonly string[], scheduling: Scheduling) => ({
    key,
    jobs,
    times: schedules.map((expression) => readTimes(expression, scheduling.cronDialect, scheduling.timezone)),
    zone: openZone(scheduling.timezone),
    scheduling,
    offsetMs: jitterOffset([config.rsyncId, key, options.hostname], scheduling.jitterMs),
  });
  const enabled = config.jobs.filter((job) => job.enabled);
  const shared = enabled.filter((job) => job.schedules.length === 0).map((job) => job.id);
  const plans = enabled
    .filter((job) => job.schedules.length > 0)
    .map((job) => plan(`job:${job.id}`, [job.id], job.schedules, job.scheduling));
  // Parsed even when no job is left for it: a mistake in it must not wait for the day one is.
  const instance = plan("instance", shared, config.schedules, config.scheduling);
  return shared.length > 0 && config.schedules.length > 0 ? [instance, ...plans] : plans;
}

/** Enabled jobs in the order of the file: what "run now" means. */
export function enabledJobs(config: Config): string[] {
  return config.jobs.filter((job) => job.enabled).map((job) => job.id);
}

/** Every time of a plan strictly after `after`, in order; several expressions that meet are one time. */
export function* plannedTimes(plan: SchedulePlan, after: number): Generator<PlannedTime, undefined> {
  const queues = plan.times.map((times) => {
    const source = times.from(after);
    return { schedule: times.fields.expression, source, head: source.next().value };
  });
  for (;;) {
    const at = Math.min(...queues.map((queue) => queue.head?.at ?? Infinity));
    if (at === Infinity) return;
    const due = queues.filter((queue) => queue.head?.at === at);
    const first = due.find((queue) => queue.head?.localLabel !== null) ?? due[0];
    yield {
      schedule: first?.schedule ?? "",
      scheduledFor: at,
      startsAt: at + plan.offsetMs,
      localLabel: first?.head?.localLabel ?? null,
    };
    for (const queue of due) queue.head = queue.source.next().value;
  }
}

/** The next `count` times; fewer when the expressions name no more days. */
export function upcomingTimes(plan: SchedulePlan, after: number, count: number): PlannedTime[] {
  const times: PlannedTime[] = [];
  if (count <= 0) return times;
  for (const time of plannedTimes(plan, after)) {
    times.push(time);
    if (times.length >= count) break;
  }
  return times;
}

/**
 * The last time in (after, until], or null. It looks back in steps that double, so that a minutely
 * schedule of a host that was off for a year is not counted through minute by minute.
 */
export function latestTime(plan: SchedulePlan, after: number, until: number): PlannedTime | null {
  for (let back = 60_000; ; back *= 2) {
    const start = Math.max(after, until - back);
    let latest: PlannedTime | null = null;
    for (const time of plannedTimes(plan, start)) {
      if (time.scheduledFor > until) break;
      latest = time;
    }
    if (latest !== null || start === after) return latest;
  }
}

/** Spreads hosts and jobs evenly over [0, jitter), in whole seconds where there are any. */
function jitterOffset(names: readonly string[], jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  const digest = createHash("sha256").update(names.join("\0")).digest();
  const offset = Math.floor((digest.readUIntBE(0, 6) / 2 ** 48) * jitterMs);
  return jitterMs >= 1000 ? offset - (offset % 1000) : offset;
}

function remember<Key extends (string | undefined)[], Value>(make: (...key: Key) => Value): (...key: Key) => Value {
  const known = new Map<string, Value>();
  return (...key) => {
    const name = JSON.stringify(key);
    const value = known.get(name) ?? make(...key);
    known.set(name, value);
    return value;
  };
}
