import { hostname } from "node:os";
import type { AbortReason } from "../base/abort.ts";
import { CleanupStack } from "../base/cleanup-stack.ts";
import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Config, LogLevel } from "../config/resolved.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { recordNotifications } from "../metrics/record-notifications.ts";
import { recordWatches } from "../metrics/record-watches.ts";
import { recordMetrics } from "../metrics/record-metrics.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest } from "../model/run.ts";
import { createCronTrigger } from "../trigger/cron-trigger.ts";
import { reportScheduleWarnings } from "../trigger/report-schedule-warnings.ts";
import { createMemoryLedger } from "../trigger/schedule-ledger.ts";
import { enabledJobs, planSchedules, type SchedulePlan } from "../trigger/schedule-plan.ts";
import { createSignalTrigger } from "../trigger/signal-trigger.ts";
import { createWatchTrigger, watchedTargets } from "../trigger/watch-trigger.ts";
import { startMetricsListener } from "../web/metrics-listener.ts";
import { startWebListeners, type WebListeners } from "../web/start-web-listeners.ts";
import type { DirectorControl } from "../web/director-control.ts";
import { createClockWatch } from "./clock-watch.ts";
import { createDirectorControl } from "./control/director-control.ts";
import { describePause, openPauses } from "./control/pauses.ts";
import { createReloader } from "./control/reload.ts";
import { createDirector } from "./director.ts";
import { pretendEvents } from "./dry-run-events.ts";
import type { RootLogger } from "./logging.ts";
import { startNotifying, tellFreshness } from "./notifying.ts";
import { compareRuns, createEvents, keepHistory, logDirector } from "./observers.ts";
import { clockFile, controlSocket, pausesFile, pidFile } from "./paths.ts";
import { claimPidFile } from "./pid-file.ts";
import { metricJobs, prepareConfig } from "./reconfigure.ts";

/** A running daemon. It owns no signals and no standard output: tests start it in-process. */
export interface Daemon {
  readonly events: Emitter<DirectorEvents>;
  /** What people can ask of it and tell it. */
  readonly control: DirectorControl;
  /** Where /metrics answers; the port is the kernel's choice where the configuration says 0. */
  readonly metricsAddress: { addr: string; port: number };
  /** Where the API answers on TCP; undefined: on the control socket alone. */
  readonly webAddress: WebListeners["address"];
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
  /** Instead of the levels of the configuration. */
  logLevel?: LogLevel | undefined;
  /** Registers what is to be called for each SIGHUP; returns what ends that. */
  onRunNow: (run: () => void) => () => void;
  /** Is given the events before the first of them; returns what ends that. */
  follow?: (events: Emitter<DirectorEvents>) => () => void;
}

/** At the stop notifications have so long to be delivered; the rest is kept for the next start. */
const notifyGraceMs = 3000;

/** Starts everything, or nothing: when a step fails, those before it are undone and its error is thrown. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, env, clock, log, version, dryRun } = options;
  const cleanup = new CleanupStack(log);
  /** What a reload changes. */
  let inUse: { config: Config; plans: readonly SchedulePlan[] } = {
    config,
    plans: planSchedules(config, { hostname: hostname() }),
  };
  let endWarnings: () => void = () => undefined;
  const current = () => inUse.config;
  let phase: "starting" | "running" | "stopping" = "starting";
  try {
    const held = await claimPidFile(pidFile(config, env), process.pid);
    cleanup.defer("pid file", () => held.release());
    const events = createEvents(log);
    cleanup.defer("log listener", logDirector(current, { events, log }));
    if (options.follow !== undefined) cleanup.defer("service status", options.follow(events));

    const metrics = createMetrics({ version });
    const recorder = recordMetrics({ events, set: metrics.set, rsyncId: config.rsyncId });
    metrics.beforeScrape(() => recorder.refresh(clock.now()));
    recorder.setJobs(metricJobs(config));
    const clockWatch = createClockWatch({ file: clockFile(config, env), clock, log });
    const history = await keepHistory(current, { env, events, clock, clockWatch, log });
    // Nobody asks it any more when this has ended.
    cleanup.defer("clock watch", () => clockWatch.close());
    cleanup.defer("history", () => history.close());
    metrics.beforeScrape(() => metrics.set.clockInDoubt.set(clockWatch.doubt() === null ? 0 : 1));
    recorder.restore(history.lastJobResults());
    const pauses = openPauses(pausesFile(config, env), { clock, events, log });
    cleanup.defer("pauses", () => pauses.stop());
    const whyPaused = (jobId: string) => {
      const pause = pauses.of(jobId);
      return pause === undefined ? undefined : describePause(jobId, pause);
    };
    const compareRunsOf = compareRuns({ events, set: metrics.set, history });
    compareRunsOf(config);
    recordNotifications({ events, set: metrics.set });
    const notifier = await startNotifying(config, { env, events, clock, log, version });
    cleanup.defer("notifications", () => notifier.close(notifyGraceMs));

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
    if (dryRun) log.warn({}, "dry run: no lock is taken and nothing is copied, and no job counts as successful");
    const director = await createDirector({
      ...{ config, env, clock, believedNow: clockWatch.believedNow, log, dryRun, changes: watching, whyPaused },
      events: dryRun ? pretendEvents(events, log) : events,
    });
    cleanup.defer("director", () => director.close());
    const submit = (request: RunRequest) => void director.dispatcher.submit(request);

    // A time at which somebody only pretended has not had its run.
    const ledger = dryRun ? createMemoryLedger() : history.ledger;
    const cron = createCronTrigger({ plans: inUse.plans, submit, ledger, clock, events, log });
    const reloader = createReloader({
      ...{ current, env, events, clock, log },
      // Before the schedules have begun a reload would take times that were missed for seen.
      whyNotNow: () => (phase === "running" ? undefined : `the director is ${phase}`),
      isActive: (jobId) => running.isActive(jobId),
      prepare: (next) =>
        prepareConfig(next, {
          ...{ current, log, director, recorder, watches, watching, cron, control: running },
          logLevel: options.logLevel,
          adopt: (adopted, plans) => {
            inUse = { config: adopted, plans };
            notifier.reconfigure(adopted);
            compareRunsOf(adopted);
            endWarnings();
            endWarnings = reportScheduleWarnings(adopted, { plans, clock, log });
          },
        }),
    });
    const running = createDirectorControl({
      ...{ config: current, env, version, events, history, pauses, reloader, clock, log },
      dispatcher: director.dispatcher,
      limitOf: director.limitOf,
      clockDoubt: clockWatch.doubt,
      plans: () => inUse.plans,
      pending: () => watching.pending(),
      isStopping: () => phase === "stopping",
    });
    cleanup.defer("control", () => running.close());
    cleanup.defer("freshness", tellFreshness({ statuses: () => running.control.status().jobs, notifier, clock }));
    const web = await startWebListeners({
      ...{ control: running.control, socketPath: controlSocket(config, env), web: config.web, version, clock, log },
      registerPage: async (app, about) => (await import("../web/page/page-routes.ts")).registerPage(app, about),
    });
    cleanup.defer("web listeners", () => web.close());

    cron.start();
    cleanup.defer("cron trigger", () => cron.stop());
    const signal = createSignalTrigger({
      subscribe: options.onRunNow,
      jobs: () => enabledJobs(current()),
      submit,
      log,
    });
    signal.start();
    cleanup.defer("signal trigger", () => signal.stop());
    void watching.start();
    cleanup.defer("watches", () => watching.stop());
    log.info({ version, pid: process.pid, config: config.file, jobs: config.jobs.length }, "director started");
    endWarnings = reportScheduleWarnings(config, { plans: inUse.plans, clock, log });
    cleanup.defer("schedule warnings", () => endWarnings());
    phase = "running";

    return {
      events,
      control: running.control,
      metricsAddress: listener.address(),
      webAddress: web.address,
      hurry: () => director.hurry(),
      stop: async (reason, end) => {
        inOrder = end?.inOrder ?? true;
        phase = "stopping";
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
