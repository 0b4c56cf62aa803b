import { AbortReason } from "../base/abort.ts";
import { systemClock } from "../base/clock.ts";
import { coerceError } from "../base/errors.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problem.ts";
import type { LogLevel } from "../config/resolved.ts";
import { runTool } from "../process/run-tool.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { createLogger } from "./logging.ts";
import { logOutputs } from "./observers.ts";
import { outliveStraySignals } from "./stray-signals.ts";
import { connectServiceManager } from "./systemd/service-manager.ts";

export interface RunDaemonOptions {
  configPath: string;
  env: Readonly<Record<string, string | undefined>>;
  logLevel: LogLevel | undefined;
  version: string;
  dryRun: boolean;
}

/**
 * The daemon as a process: its signals, and what happens when a bug gets loose. Resolves when it has
 * stopped, with `false` if that was because of a bug. Throws an `OperatorError` when it cannot start.
 */
export async function runDaemon(options: RunDaemonOptions): Promise<boolean> {
  const signals = listenToSignals();
  const { config, warnings } = await loadConfig(options.configPath, { env: options.env });
  const log = createLogger(logOutputs(config, options.logLevel), { fields: { rsync_id: config.rsyncId } });
  const service = connectServiceManager({ env: options.env, pid: process.pid, runTool, clock: systemClock, log });
  signals.onStray((name) => log.warn({ signal: name }, "signal ignored: it means nothing to a director"));
  try {
    for (const warning of warnings) log.warn({ warning: formatProblem(warning) }, "configuration warning");
    const { onRunNow } = signals;
    const daemon = await startDaemon({
      ...options,
      config,
      clock: systemClock,
      log,
      onRunNow,
      follow: (events) => service.follow(events),
    });
    service.ready();
    const bug = new Promise<Error>((resolve) => process.once("uncaughtException", resolve));
    const ended = await Promise.race([signals.stopRequested, bug]);
    // A second bug, or a signal that comes again, must not end the process before the locks are free.
    process.on("uncaughtException", (error) => log.error({ error: error.message, stack: error.stack }, "another bug"));
    signals.onRepeated(() => daemon.hurry());
    if (ended instanceof Error) log.error({ error: ended.message, stack: ended.stack }, "bug: the director stops");
    service.stopping();
    await stopDaemon(daemon, ended);
    return !(ended instanceof Error);
  } finally {
    await service.close();
    await log.close();
  }
}

async function stopDaemon(daemon: Daemon, ended: NodeJS.Signals | Error): Promise<void> {
  const why =
    ended instanceof Error
      ? `the director stops because of a bug: ${coerceError(ended).message}`
      : `the director was stopped by ${ended}`;
  await daemon.stop(new AbortReason("shutdown", why), { inOrder: !(ended instanceof Error) });
}

interface Signals {
  /** SIGTERM or SIGINT. */
  readonly stopRequested: Promise<NodeJS.Signals>;
  /** Called for each further SIGTERM or SIGINT. */
  readonly onRepeated: (listener: () => void) => void;
  /** Calls `run` for each SIGHUP, also for one that came before anybody listened. */
  readonly onRunNow: (run: () => void) => () => void;
  /** Calls `tell` for each signal that is ignored, also for those that came before anybody listened. */
  readonly onStray: (tell: (name: NodeJS.Signals) => void) => void;
}

/** Registered before anything slow happens: an early SIGHUP would end the process otherwise. */
function listenToSignals(): Signals {
  const runners = new Set<() => void>();
  const repeated = new Set<() => void>();
  const earlyStrays = new Set<NodeJS.Signals>();
  let tellStray = (name: NodeJS.Signals): void => void earlyStrays.add(name);
  let early = false;
  outliveStraySignals((name) => tellStray(name));
  process.on("SIGHUP", () => {
    early = runners.size === 0;
    for (const run of runners) run();
  });
  const stopRequested = new Promise<NodeJS.Signals>((resolve) => {
    const onStop = (name: NodeJS.Signals) => {
      for (const listener of repeated) listener();
      resolve(name);
    };
    process.on("SIGTERM", onStop);
    process.on("SIGINT", onStop);
  });
  return {
    stopRequested,
    onRepeated: (listener) => void repeated.add(listener),
    onRunNow: (run) => {
      runners.add(run);
      if (early) run();
      early = false;
      return () => void runners.delete(run);
    },
    onStray: (tell) => {
      tellStray = tell;
      for (const name of earlyStrays) tell(name);
    },
  };
}
