import { hostname } from "node:os";
import { createActionRegistry } from "../action/action.ts";
import type { ActionDeps } from "../action/action-kind.ts";
import { createHookRunner } from "../action/hook-command.ts";
import { type Clock, fineSystemTime } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/resolved.ts";
import { describeOwner } from "../lock/lock-owner.ts";
import { openOperationRecord } from "../lock/transport/operation-record.ts";
import { createTransportPool, type LockLimits } from "../lock/transport/transport-pool.ts";
import type { ChangesFeed } from "../model/changes.ts";
import type { DirectorEvents } from "../model/events.ts";
import { trackProcesses } from "../process/process-group.ts";
import { runTool } from "../process/run-tool.ts";
import { startChild } from "../process/start-child.ts";
import { Dispatcher } from "../run/dispatcher.ts";
import { JobBook } from "../run/job-book.ts";
import { createJobRunner } from "../run/job-runner.ts";
import { createConnectionPool } from "../ssh/connection-pool.ts";
import { createMasterPool, type MasterPool } from "../ssh/master-pool.ts";
import { sshCommand } from "../ssh/ssh-arguments.ts";
import { createChangeTracking } from "./change-tracking.ts";
import { readInstanceId } from "./instance-id.ts";
import { openLocks } from "./locking.ts";
import { instanceIdFile } from "./paths.ts";
import { socketDirectories } from "./socket-directories.ts";
import { keepProgress } from "./progress-board.ts";
import { inhibitSleep } from "./systemd/sleep-inhibitor.ts";

export interface DirectorOptions {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  /** From when the ages of what is deleted are counted back (ms). */
  believedNow: () => number;
  log: Logger;
  dryRun: boolean;
  /** What watched jobs still have to carry; a run of the command line knows of none. */
  changes?: ChangesFeed | undefined;
  /** Says, for people, why a job is paused; undefined: it is not. */
  whyPaused?: ((jobId: string) => string | undefined) | undefined;
}

/** The working core: what `run` in the foreground and the daemon share. */
export interface Director extends LockLimits {
  readonly dispatcher: Dispatcher;
  /** From now on children that are being stopped are killed at once. */
  hurry(): void;
  /** Loads what another configuration needs; what is returned puts it into use, and cannot fail. */
  prepare(config: Config): Promise<() => void>;
  /** Closes the connections; every run must have ended. */
  close(): Promise<void>;
}

export async function createDirector(options: DirectorOptions): Promise<Director> {
  const { config, env, events, clock, believedNow, log, dryRun, whyPaused } = options;
  const inst = await readInstanceId(instanceIdFile(config, env), log);
  const owner = await describeOwner({ inst, name: config.rsyncId });
  const connections = createConnectionPool({ runTool, startChild, clock, log });
  const operationTimeoutMs = config.lockOperationTimeoutMs;
  const recordFile = env["RSYNCDIRECTOR_LOCK_RECORD"];
  const transports = createTransportPool({
    runTool,
    connections,
    clock,
    log,
    localHost: hostname(),
    operationTimeoutMs,
    record: recordFile ? openOperationRecord(recordFile, { owner, time: fineSystemTime(), log }) : undefined,
  });
  const hurry = new AbortController();
  const progress = keepProgress({ events, clock });
  const { progressOf } = progress;
  const locks = await openLocks({ ...options, owner, transports, hurry: hurry.signal, progressOf });
  // After the recovery: an rsync of an earlier life is to be stopped in good order, and not to lose its connection. A
  // dry run does not hold the instance, whose sockets these are.
  const masters: MasterPool | undefined = dryRun
    ? undefined
    : await createMasterPool({ runTool, startChild, clock, log, directories: socketDirectories(config, env) });
  const changes = dryRun ? undefined : await createChangeTracking({ config, env, events, clock, believedNow, log });
  const sleep = dryRun
    ? undefined
    : inhibitSleep({ events, startChild, clock, log, rsyncId: config.rsyncId }, config.inhibitSleep);
  const actionDeps: ActionDeps = {
    remoteShell: async (endpoint, signal) => masters?.lend(endpoint, signal) ?? { shell: sshCommand(endpoint) },
    env,
    clock,
    hurry: hurry.signal,
    changes,
  };
  const runAction = createActionRegistry(actionDeps);
  const runHook = createHookRunner(actionDeps);
  const jobs = new JobBook(config.jobs);
  const runJob = createJobRunner({
    locks,
    runAction,
    runHook,
    trackProcesses,
    feed: options.changes,
    events,
    clock,
    log,
  });
  return {
    dispatcher: new Dispatcher({ jobs, runJob, whyPaused, events, clock }, { dryRun }),
    limitOf: transports.limitOf,
    hurry: () => hurry.abort(),
    prepare: async (next) => {
      const track = await changes?.prepare(next);
      return () => {
        jobs.replace(next.jobs);
        track?.();
        sleep?.reconfigure(next.inhibitSleep);
      };
    },
    close: async () => {
      await sleep?.close();
      await masters?.close();
      await locks.close();
      await changes?.close();
      progress.stop();
      await connections.close();
    },
  };
}
