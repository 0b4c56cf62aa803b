import { hostname } from "node:os";
import type { AbortReason } from "../base/abort.ts";
import { CleanupStack } from "../base/cleanup-stack.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Config } from "../config/resolved.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { recordWatches } from "../metrics/record-watches.ts";
import { recordMetrics } from "../metrics/record-metrics.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest } from "../model/run.ts";
import { preloadProcessLibrary } from "../process/run-process.ts";
import { createCronTrigger } from "../trigger/cron-trigger.ts";
import { reportScheduleWarnings } from "../trigger/report-schedule-warnings.ts";
import { enabledJobs, planSchedules } from "../trigger/schedule-plan.ts";
import { createSignalTrigger } from "../trigger/signal-trigger.ts";
import { createWatchTrigger, watchedTargets } from "../trigger/watch-trigger.ts";
import { startMetricsListener } from "../web/metrics-listener.ts";
import { createDirector } from "./director.ts";
import type { RootLogger } from "./logging.ts";
import { createEvents, keepHistory, logDirector } from "./observers.ts";
import { pidFile } from "./paths.ts";
import { claimPidFile } from "./pid-file.ts";

/** A running daemon. It owns no signals and no standard output: tests start it in-process. */
export interface Daemon {
  readonly events: Emitter<DirectorEvents>;
  /** Where /metrics answers; the port is the kernel's choice where the configuration says 0. */
  readonly metricsAddress: { addr: string; port: number };
  /** Stops the runs, frees their locks, and undoes the start in the opposite order. `inOrder`: not because of a bug. */
  stop(reason: AbortReason, end?: { inOrder: boolean }): Promise<void>;
  /** Kills the children that are being stopped. */
  hurry(): void;
}

export interface DaemonOptions {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: RootLogger;
  version: string;
  dryRun: boolean;
  /** Registers what is to be called for each SIGHUP; returns what ends that. */
  onRunNow: (run: () => void) => () => void;
}

/** Starts everything, or nothing: when a step fails, those before it are undone and its error is thrown. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, env, clock, log, version, dryRun } = options;
  const cleanup = new CleanupStack(log);
  try {
    const held = await claimPidFile(pidFile(config, env), process.pid);
    cleanup.defer("pid file", () => held.release());
    const events = createEvents(log);
    cleanup.defer("log listener", logDirector(config, { events, log }));

    const metrics = createMetrics({ version });
    const recorder = recordMetrics({ events, set: metrics.set, rsyncId: config.rsyncId });
    metrics.beforeScrape(() => recorder.refresh(clock.now()));
    recorder.setJobs(
      config.jobs.map(({ id, actions, targets, blocksOn }) => ({
        id,
        actionIds: actions.map((action) => action.id),
        targetIds: targets.length === 1 ? [] : targets.map((target) => target.id),
        blocks: blocksOn.length > 0,
      })),
    );
    const history = await keepHistory(config, { env, events, clock, log });
    cleanup.defer("history", () => history.close());
    recorder.restore(history.lastJobResults());

    const starting = new AbortController();
    const listener = await startMetricsListener({
      listen: config.metrics,
      metrics,
      health: () => ({ status: history.state().ok ? "ok" : "degraded", version }),
      clock,
      signal: starting.signal,
      log,
    });
    cleanup.defer("metrics listener", () => listener.close());

    const watching = createWatchTrigger({
      jobs: config.jobs.filter(({ enabled }) => enabled),
      store: history.dirty,
      submit: (request) => submit(request),
      clock,
      events,
      log,
    });
    let inOrder = true;
    cleanup.defer("journal of changes", () => watching.close({ inOrder }));
    const watches = recordWatches({ events, set: metrics.set, jobs: watchedTargets(config.jobs) });
    metrics.beforeScrape(() => watches.refresh(watching.pending(), clock.now()));
    const director = await createDirector({ config, env, events, clock, log, dryRun, changes: watching });
    cleanup.defer("director", () => director.close());
    const submit = (request: RunRequest) => void director.dispatcher.submit(request);

    const plans = planSchedules(config, { hostname: hostname() });
    const cron = createCronTrigger({ plans, submit, ledger: history.ledger, clock, events, log });
    cron.start();
    cleanup.defer("cron trigger", () => cron.stop());
    const signal = createSignalTrigger({ subscribe: options.onRunNow, jobs: enabledJobs(config), submit, log });
    signal.start();
    cleanup.defer("signal trigger", () => signal.stop());
    void watching.start();
    cleanup.defer("watches", () => watching.stop());
    log.info({ version, pid: process.pid, config: config.file, jobs: config.jobs.length }, "director started");
    // The first run should not wait for the library that starts its programs.
    setImmediate(() => void preloadProcessLibrary());
    cleanup.defer("schedule warnings", reportScheduleWarnings(config, { plans, clock, log }));

    return {
      events,
      metricsAddress: listener.address(),
      hurry: () => director.hurry(),
      stop: async (reason, end) => {
        inOrder = end?.inOrder ?? true;
        log.info({ reason: reason.message }, "director stops");
        cron.stop();
        signal.stop();
        await watching.stop();
        await director.dispatcher.stop(reason);
        await cleanup.unwind();
        log.info({}, "director stopped");
      },
    };
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}
