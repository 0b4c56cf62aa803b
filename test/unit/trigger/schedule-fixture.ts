import { Emitter } from "../../../src/base/emitter.ts";
import type { Logger, LogFields } from "../../../src/base/logger.ts";
import type { Config, Job, Scheduling } from "../../../src/config/resolved.ts";
import type { DirectorEvents } from "../../../src/model/events.ts";
import type { RunRequest } from "../../../src/model/run.ts";
import { createCronTrigger } from "../../../src/trigger/cron-trigger.ts";
import { createMemoryLedger } from "../../../src/trigger/schedule-ledger.ts";
import type { ScheduleLedger } from "../../../src/trigger/schedule-ledger.ts";
import { planSchedules } from "../../../src/trigger/schedule-plan.ts";
import { buildConfig, plainScheduling } from "../../support/build-config.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";

interface ConfigSketch {
  rsyncId?: string;
  schedules?: readonly string[];
  scheduling?: Partial<Scheduling>;
  jobs: readonly (Partial<Omit<Job, "scheduling">> & { id: string; scheduling?: Partial<Scheduling> })[];
}

/** A configuration of which only the schedules matter. */
export function sketchConfig(sketch: ConfigSketch): Config {
  const { rsyncId = "test", schedules = [] } = sketch;
  const scheduling: Scheduling = { ...plainScheduling, timezone: "UTC", ...sketch.scheduling };
  const jobs = sketch.jobs.map((job) => buildJob({ ...job, scheduling: { ...scheduling, ...job.scheduling } }));
  return buildConfig({ rsyncId, schedules, scheduling, jobs });
}

export interface LogLine extends LogFields {
  level: string;
  message: string;
}

export function recordingLogger(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ ...fields, level, message });
  const log: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  return log;
}

/** A trigger on a clock that is stepped by hand, and everything that came out of it. */
export function setUpTrigger(
  sketch: ConfigSketch,
  options: { at: string; clock?: FakeClock; ledger?: ScheduleLedger },
) {
  const clock = options.clock ?? new FakeClock(options.at);
  const ledger = options.ledger ?? createMemoryLedger();
  const lines: LogLine[] = [];
  const starts: string[] = [];
  const requests: RunRequest[] = [];
  const missed: DirectorEvents["schedule:missed"][] = [];
  const announced: DirectorEvents["schedule:next"][] = [];
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  events.on("schedule:missed", (event) => missed.push(event));
  events.on("schedule:next", (event) => announced.push(event));
  const trigger = createCronTrigger({
    plans: planSchedules(sketchConfig(sketch), { hostname: "laptop01" }),
    submit: (request) => {
      requests.push(request);
      starts.push(`${clockText(clock.now())} ${request.jobs.join(" ")}`);
    },
    ledger,
    clock,
    events,
    log: recordingLogger(lines),
  });
  return { clock, ledger, trigger, requests, starts, missed, announced, lines };
}

/** `20 02:00:00`: day of month and time, UTC. */
export function clockText(at: number): string {
  return new Date(at).toISOString().slice(8, 19).replace("T", " ");
}

export const minutes = (count: number) => count * 60_000;
export const hours = (count: number) => count * 3_600_000;
