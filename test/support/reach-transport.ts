import { onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { createRemoteTransport, type TransportLimit } from "../../src/lock/transport/remote-transport.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createConnectionPool } from "../../src/ssh/connection-pool.ts";
import { createMemoryLog } from "./memory-log.ts";
import { endpointOf } from "./ssh-endpoint.ts";
import type { TestSshd } from "./sshd.ts";

/** The way to the locks of a host as the director has it, closed when the test ends, and what it says meanwhile. */
export function reach(
  sshd: TestSshd,
  operationTimeoutMs = 8000,
  clock = systemClock,
): { transport: LockTransport; log: ReturnType<typeof createMemoryLog>; limit: () => TransportLimit | undefined } {
  const log = createMemoryLog();
  const pool = createConnectionPool({ runTool, startChild, clock: systemClock, log });
  onTestFinished(() => pool.close());
  let limit: TransportLimit | undefined;
  const onLimit = (found: TransportLimit | undefined) => void (limit = found);
  const deps = { endpoint: endpointOf(sshd), pool, operationTimeoutMs, clock, log, onLimit };
  return { transport: createRemoteTransport(deps), log, limit: () => limit };
}
