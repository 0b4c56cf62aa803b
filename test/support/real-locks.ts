import { systemClock } from "../../src/base/clock.ts";
import { createJobLocks, type JobLocks } from "../../src/lock/job-locks.ts";
import { describeOwner } from "../../src/lock/lock-owner.ts";
import { defaultLockTimings, type LockTimings } from "../../src/lock/lock-timings.ts";
import type { WrapTransport } from "../../src/lock/transport/operation-record.ts";
import { createTransportPool } from "../../src/lock/transport/transport-pool.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { EventLog } from "./event-log.ts";
import { createMemoryLog } from "./memory-log.ts";

/** The locks of a director as the daemon builds them, with connections of its own. */
export async function createRealLocks(
  name: string,
  timings: Partial<LockTimings> = {},
  /** Stands between the locks and every way to a host. */
  wrap?: WrapTransport,
): Promise<{
  locks: JobLocks;
  events: EventLog;
  log: ReturnType<typeof createMemoryLog>;
  close(): Promise<void>;
}> {
  const events = new EventLog();
  const log = createMemoryLog();
  const all = { ...defaultLockTimings, ...timings };
  const clock = systemClock;
  const connections = createConnectionPool({ runTool, startChild, clock, log });
  const transports = createTransportPool({
    runTool,
    connections,
    clock,
    log,
    localHost: name,
    operationTimeoutMs: all.operationMs,
    record: wrap,
  });
  const owner = await describeOwner({ inst: `inst of ${name}`, name });
  const locks = createJobLocks({ transports, clock, random: Math.random, events, log, owner, timings: all });
  const close = async () => {
    await locks.close();
    await connections.close();
  };
  return { locks, events, log, close };
}
