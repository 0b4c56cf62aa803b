import { Emitter } from "../../../src/base/emitter.ts";
import type { Logger, LogFields } from "../../../src/base/logger.ts";
import { defaultLease } from "../../../src/config/resolve-lease.ts";
import type { Config, Job, Scheduling } from "../../../src/config/resolved.ts";
import type { DirectorEvents } from "../../../src/model/events.ts";
import type { RunRequest } from "../../../src/model/run.ts";
import { createCronTrigger } from "../../../src/trigger/cron-trigger.ts";
import { createMemoryLedger } from "../../../src/trigger/schedule-ledger.ts";
import type { ScheduleLedger } from "../../../src/trigger/schedule-ledger.ts";
import { planSchedules } from "../../../src/trigger/schedule-plan.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const scheduling: Scheduling = {
  timezone: "UTC",
  cronDialect: "linux",
  dialectChosen: false,
  jitterMs: 0,
  onMissed: "skip",
  startingDeadlineMs: undefined,
};

interface ConfigSketch {
  rsyncId?: string;
  schedules?: readonly string[];
  scheduling?: Partial<Scheduling>;
  jobs: readonly (Partial<Omit<Job, "scheduling">> & { id: string; scheduling?: Partial<Scheduling> })[];
}

/** A configuration of which only the schedules matter. */
export function sketchConfig(sketch: ConfigSketch): Config {
  const top = { ...scheduling, ...sketch.scheduling };
  return {
    file: "/etc/rsyncdirector/test.yaml",
    rsyncId: sketch.rsyncId ?? "test",
    schedules: sketch.schedules ?? [],
    scheduling: top,
    pidFileDir: undefined,
    stateDir: undefined,
    inhibitSleep: true,
    metrics: { addr: "127.0.0.1", port: 0, startupTimeoutMs: 0, startupRetryWaitMs: 0, startupRetryLimit: 0 },
    web: undefined,
    logging: [],
    history: { keepRuns: 10, keepMs: 1000 },
    lockOperationTimeoutMs: 20_000,
    notify: [],
    jobs: sketch.jobs.map((job) => ({
      type: "local",
      enabled: true,
      direction: "push",
      targets: [{ id: "local", endpoint: undefined, dest: undefined, bwlimit: undefined }],
      maxParallel: 4,
      schedules: [],
      lockFiles: [],
      blocksOn: [],
      lease: defaultLease,
      hold: "auto",
      holdDir: "/run/rsyncdirector-locks",
      concurrency: "queue",
      timeoutMs: undefined,
      stallTimeoutMs: undefined,
      warnAfterMs: undefined,
      retry: { limit: 0, delayMs: 0, maxDelayMs: 0, backoff: 1, exitCodes: undefined },
      exitCodes: new Map(),
      allowUnsafeOpts: false,
      guard: { requirePaths: [], nonEmpty: true, maxDelete: undefined, maxDeletePercent: undefined },
      watch: undefined,
      trackChanges: undefined,
      hooks: [],
      actions: [],
      ...job,
      scheduling: { ...top, ...job.scheduling },
    })),
  };
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
