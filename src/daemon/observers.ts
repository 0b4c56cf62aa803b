import type { Clock } from "../base/clock.ts";
import { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Config, LogLevel, LogOutput } from "../config/resolved.ts";
import type { MetricSet } from "../metrics/metrics.ts";
import { comparedRuns, recordAnomalies } from "../metrics/record-anomalies.ts";
import type { DirectorEvents } from "../model/events.ts";
import { openHistory, type History } from "../store/open-history.ts";
import type { ClockWatch } from "./clock-watch.ts";
import { logEvents } from "./log-events.ts";
import { historyFile } from "./paths.ts";

/** The events of a director, with a guard that keeps a broken listener away from the work. */
export function createEvents(log: Logger): Emitter<DirectorEvents> {
  return new Emitter((error, event) => {
    log.error({ event, error: error.message, stack: error.stack }, "a listener failed");
  });
}

/** Writes what happens to the log; returns what ends that. `config`: the one that is in use. */
export function logDirector(
  config: () => Config,
  options: { events: Emitter<DirectorEvents>; log: Logger },
): () => void {
  let known: { readonly of: Config; readonly syncs: ReadonlySet<string> } | undefined;
  const syncs = () => {
    if (known?.of !== config()) known = { of: config(), syncs: syncsOf(config()) };
    return known.syncs;
  };
  return logEvents({ ...options, isSync: (jobId, actionId) => syncs().has(JSON.stringify([jobId, actionId])) });
}

function syncsOf(config: Config): Set<string> {
  return new Set(
    config.jobs.flatMap((job) =>
      job.actions.filter((action) => action.kind === "sync").map((action) => JSON.stringify([job.id, action.id])),
    ),
  );
}

/**
 * Opens the history of this instance and begins to record; see `openHistory`. `config`: the one that is in use. The watch
 * begins with what the history knows.
 */
export async function keepHistory(
  config: () => Config,
  options: {
    env: Readonly<Record<string, string | undefined>>;
    events: Emitter<DirectorEvents>;
    clock: Clock;
    clockWatch: ClockWatch;
    log: Logger;
  },
): Promise<History> {
  const { events, clock, clockWatch, log } = options;
  const file = historyFile(config(), options.env);
  const retention = {
    get keepRuns() {
      return config().history.keepRuns;
    },
    get keepMs() {
      return config().history.keepMs;
    },
  };
  const { believedNow } = clockWatch;
  const history = await openHistory({ file, retention, events, clock, believedNow, log });
  clockWatch.begin(() => history.lastRunAt());
  return history;
}

/**
 * Shows how each run of a job compares with those before it, also with those of earlier lives. The returned function
 * takes the jobs of a configuration, the first or a later one.
 */
export function compareRuns(options: {
  events: Emitter<DirectorEvents>;
  set: MetricSet;
  history: Pick<History, "runSizes">;
}): (config: Pick<Config, "jobs">) => void {
  const recorder = recordAnomalies(options);
  return ({ jobs }) => {
    const compared = jobs.filter(({ watch }) => watch === undefined).map(({ id }) => id);
    const past = options.history.runSizes(recorder.setJobs(compared), comparedRuns.most + 1);
    for (const [id, runs] of past) if (runs.length > 0) recorder.restore(id, runs);
  };
}

/** The configured outputs, at the level that the environment asks for, if it does. */
export function logOutputs(config: Config, level: LogLevel | undefined): LogOutput[] {
  return config.logging.map((output) => (level === undefined ? output : { ...output, level }));
}
