import { Command, InvalidArgumentError } from "commander";
import { formatDuration } from "../../base/duration.ts";
import type { ConfigWarning } from "../../config/problem.ts";
import type { Job } from "../../config/resolved.ts";
import type { PlannedTime, SchedulePlan } from "../../trigger/schedule-plan.ts";
import type { ScheduleWarning } from "../../trigger/schedule-warnings.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { formatTable } from "../output.ts";
import { formatScheduleWarning } from "../schedule-warning.ts";

interface ScheduleOptions {
  config?: string;
  count: number;
  json?: boolean;
}

interface PlanTimes {
  plan: SchedulePlan;
  times: PlannedTime[];
}

interface Warnings {
  /** What the loader says, with the place in the file. */
  config: readonly ConfigWarning[];
  schedule: readonly ScheduleWarning[];
}

/** `rsyncdirector schedule`: when the jobs will run. */
export function newScheduleCommand(context: CommandContext): Command {
  return new Command("schedule")
    .description("Show when the jobs will run, and what looks odd about their schedules.")
    .addOption(configOption())
    .option("-n, --count <n>", "how many times to show of each schedule", readCount, 3)
    .option("--json", "print JSON")
    .action((options: ScheduleOptions) => runSchedule(options, context))
    .addHelpText("after", scheduleHelp);
}

const scheduleHelp = `
Times are shown in the schedule's own time zone with its offset, and with the jitter of this host.

Examples:
  rsyncdirector schedule -c laptop.yaml              the next three times of every schedule
  rsyncdirector schedule -c laptop.yaml --count 20   over the next change to summer time, for instance
  rsyncdirector schedule -c laptop.yaml --json | jq '.plans[].times[0].startsAt'

Exit status:
  0 ok, with warnings too   78 wrong configuration`;

function readCount(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 1000) return Number(text);
  throw new InvalidArgumentError("give a number from 1 to 1000.");
}

/** Prints the next times; `now` and `hostname` are the host's unless a test says otherwise. */
export async function runSchedule(
  options: ScheduleOptions,
  context: CommandContext,
  host: { now?: number; hostname?: string } = {},
): Promise<void> {
  const path = configPath(options.config, context.env);
  const [{ loadConfig }, { planSchedules, upcomingTimes }, { findScheduleWarnings }, { systemClock }, os] =
    await Promise.all([
      import("../../config/load.ts"),
      import("../../trigger/schedule-plan.ts"),
      import("../../trigger/schedule-warnings.ts"),
      import("../../base/clock.ts"),
      import("node:os"),
    ]);
  const { config, warnings: configWarnings } = await loadConfig(path, { env: context.env });
  const { now = systemClock.now(), hostname = os.hostname() } = host;
  const plans = planSchedules(config, { hostname });
  const warnings = { config: configWarnings, schedule: findScheduleWarnings(config, { plans, now }) };
  const planTimes = plans.map((plan) => ({ plan, times: upcomingTimes(plan, now - plan.offsetMs, options.count) }));
  const print = options.json === true ? formatJson : await textFormatter(now, config.jobs);
  context.stdout.write(print(planTimes, warnings));
}

type Format = (plans: readonly PlanTimes[], warnings: Warnings) => string;

const formatJson: Format = (plans, warnings) => {
  const shown = plans.map(({ plan, times }) => ({
    key: plan.key,
    jobs: plan.jobs,
    schedules: plan.times.map((entry) => entry.fields.expression),
    timezone: plan.zone.name,
    cronDialect: plan.scheduling.cronDialect,
    jitterMs: plan.scheduling.jitterMs,
    offsetMs: plan.offsetMs,
    onMissed: plan.scheduling.onMissed,
    startingDeadlineMs: plan.scheduling.startingDeadlineMs ?? null,
    times: times.map((time) => ({
      schedule: time.schedule,
      scheduledFor: new Date(time.scheduledFor).toISOString(),
      startsAt: new Date(time.startsAt).toISOString(),
    })),
  }));
  return `${JSON.stringify({ plans: shown, warnings: warnings.schedule, configWarnings: warnings.config }, undefined, 2)}\n`;
};

async function textFormatter(now: number, jobs: readonly Job[]): Promise<Format> {
  const [{ formatZoned }, { formatProblem }] = await Promise.all([
    import("../../trigger/time-zone.ts"),
    import("../../config/problem.ts"),
  ]);
  const formatPlan = ({ plan, times }: PlanTimes): string => {
    const rows = times.map((time) => [
      formatZoned(time.startsAt, plan.zone),
      `in ${formatDuration(time.startsAt - now)}`,
      time.schedule,
    ]);
    const table = rows.length > 0 ? formatTable(["NEXT", "", "SCHEDULE"], rows) : "never\n";
    return `${plan.jobs.join(", ")}\n${describePlan(plan)}\n${table}`;
  };
  return (plans, warnings) => {
    const parts = plans.map(formatPlan);
    if (plans.length === 0) parts.push("no schedules\n");
    for (const { id, watch, enabled } of jobs) {
      if (enabled && watch !== undefined)
        parts.push(`${id}\n  runs when something changes in ${watch.paths.join(", ")}\n`);
    }
    const lines = [...warnings.config.map(formatProblem), ...warnings.schedule.map(formatScheduleWarning)];
    if (lines.length > 0) parts.push(lines.map((line) => `warning: ${line}\n`).join(""));
    return parts.join("\n");
  };
}

function describePlan(plan: SchedulePlan): string {
  const { jitterMs, onMissed, startingDeadlineMs } = plan.scheduling;
  const parts = [plan.zone.name];
  if (jitterMs > 0) parts.push(`jitter ${formatDuration(jitterMs)}, here +${formatDuration(plan.offsetMs)}`);
  if (onMissed === "once") {
    const limit = startingDeadlineMs === undefined ? "" : ` for ${formatDuration(startingDeadlineMs)}`;
    parts.push(`missed times are made up once${limit}`);
  }
  return `  ${parts.join("; ")}`;
}
