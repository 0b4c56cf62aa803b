import type { AbortReason } from "../base/abort.ts";
import { CleanupStack } from "../base/cleanup-stack.ts";
import { systemClock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { ConfigWarning } from "../config/problem.ts";
import { formatProblem } from "../config/problem.ts";
import type { Config, LogLevel } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest, RunResult } from "../model/run.ts";
import type { History } from "../store/open-history.ts";
import { createClockWatch } from "./clock-watch.ts";
import { createDirector } from "./director.ts";
import { createLogger } from "./logging.ts";
import { startNotifying } from "./notifying.ts";
import { createEvents, keepHistory, logDirector, logOutputs } from "./observers.ts";
import { describePause, isOver } from "./control/pauses.ts";
import { readPauses } from "./control/pauses-file.ts";
import { clockFile, pausesFile, pidFile } from "./paths.ts";
import { claimPidFile } from "./pid-file.ts";

/** A director without schedules: it runs what it is given and is closed. */
export interface Foreground {
  readonly events: Emitter<DirectorEvents>;
  submit(request: RunRequest): Promise<RunResult>;
  /** Why what has run is not in the history; undefined: it is, or a dry run has none. Known once it is closed. */
  whyNotRecorded(): string | undefined;
  /** Stops what runs, in good order. */
  stop(reason: AbortReason): void;
  /** Kills the children that are being stopped. */
  hurry(): void;
  close(): Promise<void>;
}

export interface ForegroundOptions {
  config: Config;
  warnings: readonly ConfigWarning[];
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  dryRun: boolean;
  logLevel: LogLevel | undefined;
  /** Whether the configured output to standard output is wanted: not when a view writes there. */
  logToStdout: boolean;
}

/** Whoever runs a job by hand, or by cron, may not start anything of this instance for long: more time than in a daemon. */
const notifyGraceMs = 10_000;

/**
 * Opens a director for one run. It holds the pid file, so it never meets the daemon of its instance;
 * a dry run changes nothing and needs neither that nor the history.
 */
export async function openForeground(options: ForegroundOptions): Promise<Foreground> {
  const { config, warnings, env, version, dryRun, logLevel, logToStdout } = options;
  const clock = systemClock;
  const outputs = logOutputs(config, logLevel).filter((output) => output.type === "file" || logToStdout);
  const log = createLogger(outputs, { fields: { rsync_id: config.rsyncId } });
  const cleanup = new CleanupStack(log);
  cleanup.defer("log", () => log.close());
  try {
    const events = createEvents(log);
    let history: History | undefined;
    let believedNow = () => clock.now();
    if (!dryRun) {
      const held = await claimPidFile(pidFile(config, env), process.pid);
      cleanup.defer("pid file", () => held.release());
      const clockWatch = createClockWatch({ file: clockFile(config, env), clock, log });
      const kept = await keepHistory(() => config, { env, events, clock, clockWatch, log });
      cleanup.defer("clock watch", () => clockWatch.close());
      believedNow = clockWatch.believedNow;
      cleanup.defer("history", () => kept.close());
      history = kept;
      const notifier = await startNotifying(config, { env, events, clock, log, version });
      cleanup.defer("notifications", () => notifier.close(notifyGraceMs));
    }
    cleanup.defer(
      "log listener",
      logDirector(() => config, { events, log }),
    );
    for (const warning of warnings) log.warn({ warning: formatProblem(warning) }, "configuration warning");
    // Whoever paused a job means this way to run it, too; a dry run changes nothing and may look.
    const paused = dryRun ? undefined : readPauses(pausesFile(config, env));
    const whyPaused = (jobId: string) => {
      const pause = paused?.get(jobId);
      return pause === undefined || isOver(pause, clock.now()) ? undefined : describePause(jobId, pause);
    };
    const director = await createDirector({ config, env, events, clock, believedNow, log, dryRun, whyPaused });
    cleanup.defer("director", () => director.close());
    return {
      events,
      submit: (request) => director.dispatcher.submit(request).result,
      whyNotRecorded: () => history?.state().detail || undefined,
      stop: (reason) => void director.dispatcher.stop(reason),
      hurry: () => director.hurry(),
      close: async () => void (await cleanup.unwind()),
    };
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}
