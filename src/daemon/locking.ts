import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { Config } from "../config/resolved.ts";
import { createGuardedLocks, type GuardedLocks } from "../lock/hold/hold-locks.ts";
import { type IntentBook, noIntents, openIntents } from "../lock/recovery/intents.ts";
import { createJobLocks } from "../lock/job-locks.ts";
import type { LockOwner } from "../lock/lock-record.ts";
import { defaultLockTimings } from "../lock/lock-timings.ts";
import type { ProgressOf } from "../lock/lease/lock-status.ts";
import { startRecovery } from "../lock/recovery/recover.ts";
import type { TransportPool } from "../lock/transport/transport-pool.ts";
import type { DirectorEvents } from "../model/events.ts";
import { stopLeftovers } from "../process/leftovers.ts";
import { startTimeOf } from "../process/process-group.ts";
import { intentsFile } from "./paths.ts";

/** The start waits so long for lock hosts to take back the locks of an earlier life. */
const recoveryBoundMs = 10_000;

export interface LockingOptions {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  owner: LockOwner;
  transports: TransportPool;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  log: Logger;
  dryRun: boolean;
  hurry: AbortSignal;
  /** What is told to those who wait for locks of ours. */
  progressOf?: ProgressOf | undefined;
}

/**
 * The locks of this director. Before anything is run, what an earlier life left behind is cleaned up; a
 * dry run neither takes locks nor looks for any.
 */
export async function openLocks(options: LockingOptions): Promise<GuardedLocks> {
  const { config, env, clock, log, dryRun, owner } = options;
  const intents: IntentBook = dryRun
    ? noIntents
    : await openIntents(intentsFile(config, env), { boot: owner.boot, pidns: owner.pidns, clock, log });
  const timings = { ...defaultLockTimings, operationMs: config.lockOperationTimeoutMs };
  const shared = { ...options, timings, random: Math.random, intents, processes: { startTimeOf } };
  const locks = createJobLocks({ ...shared, journal: intents });
  const guarded = createGuardedLocks({ ...shared, locks });
  const recovery = startRecovery({
    ...shared,
    stopLeftovers: (run) => stopLeftovers([run], { clock, log }),
    configured: config.jobs.flatMap((job) => job.lockFiles),
    ways: config.jobs.flatMap(({ targets, holdDir }) =>
      targets.flatMap(({ endpoint }) => (endpoint === undefined ? [] : [{ type: "remote", path: holdDir, endpoint }])),
    ),
    boundMs: recoveryBoundMs,
  });
  await recovery.begun;
  return {
    claim: (request) => guarded.claim(request),
    close: async () => {
      await recovery.close();
      await guarded.close();
    },
  };
}
