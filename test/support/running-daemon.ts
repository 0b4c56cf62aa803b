import { writeFile } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { AbortReason } from "../../src/base/abort.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { createLogger } from "../../src/daemon/logging.ts";
import type { DirectorEvents } from "../../src/model/events.ts";
import type { DirectorControl } from "../../src/web/director-control.ts";
import { type ConfigDraft, type Instance, makeInstance } from "./instance.ts";

/** A daemon in this process, its configuration, and what it is asked through. */
export interface RunningDaemon {
  readonly instance: Instance;
  readonly daemon: Daemon;
  readonly control: DirectorControl;
  /** Writes another configuration; `rest` is laid over the instance's own keys. */
  readonly configure: (rest: ConfigDraft) => Promise<void>;
  /** Resolves with the next event of that name that fits. */
  readonly next: <Name extends keyof DirectorEvents>(
    name: Name,
    fits?: (payload: DirectorEvents[Name]) => boolean,
  ) => Promise<DirectorEvents[Name]>;
  readonly stop: () => Promise<void>;
}

type Draft = (path: Instance["path"]) => ConfigDraft;

/** Starts a daemon with nothing but files for its log. */
export async function runDaemonHere(draft: Draft, clock?: Clock): Promise<RunningDaemon> {
  const instance = await makeInstance(({ path }) => ({ logging: logTo(path), ...draft(path) }));
  return startHere(instance, clock);
}

/** The same once more: a new life of the same instance. */
export async function startHere(instance: Instance, clock: Clock = systemClock): Promise<RunningDaemon> {
  const { config } = await loadConfig(instance.configFile, { env: process.env });
  const log = createLogger(config.logging, { fields: {} });
  const daemon = await startDaemon({
    ...{ config, env: process.env, clock, log, version: "test", dryRun: false },
    onRunNow: () => () => undefined,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= daemon.stop(new AbortReason("shutdown", "the test is over")));
  onTestFinished(stop);
  return {
    ...{ instance, daemon, control: daemon.control, stop },
    configure: (rest) =>
      writeFile(
        instance.configFile,
        stringify({
          ...{ rsync_id: "test", cron_schedule: "0 0 1 1 *", logging: logTo(instance.path) },
          ...{ pid_file_dir: instance.path("run"), state_dir: instance.path("state") },
          metrics: { addr: "127.0.0.1", port: instance.metricsPort },
          ...rest,
        }),
        { mode: 0o600 },
      ),
    next: (name, fits = () => true) =>
      new Promise((resolve) => {
        const end = daemon.events.on(name, (payload) => {
          if (!fits(payload)) return;
          end();
          resolve(payload);
        });
      }),
  };
}

function logTo(path: Instance["path"]): ConfigDraft[] {
  return [{ type: "file", path: path("director.log"), level: "debug", format: "json" }];
}

/** A job that copies `source` to `dest`; with a limit in kB/s slowly. */
export function copyJob(
  path: Instance["path"],
  job: ConfigDraft & { id: string },
  kilobytesPerSecond = 0,
): ConfigDraft {
  const limit = kilobytesPerSecond === 0 ? [] : [`--bwlimit=${kilobytesPerSecond}`];
  return {
    type: "local",
    actions: [{ action: "sync", id: "copy", source: `${path("source")}/`, dest: path("dest"), opts: ["-a", ...limit] }],
    ...job,
  };
}
