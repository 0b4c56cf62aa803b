import { describeError, OperatorError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { StartChild } from "../../base/kept-child.ts";
import { silentLogger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { Config } from "../../config/resolved.ts";
import { createConnectionPool } from "../../ssh/connection-pool.ts";
import { examineHere, examineThere, type ExamineDeps } from "./doctor-examine.ts";
import { problem, type Finding } from "./doctor-findings.ts";
import { hostsOfConfig, type DoctorHost } from "./doctor-hosts.ts";

/** What was found on one host, in the order in which it was looked at. */
export interface HostReport {
  /** As the configuration calls it; null is this host. */
  readonly host: string | null;
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly jobs: readonly string[];
  readonly findings: readonly Finding[];
}

export interface DoctorDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly stopwatch?: () => number;
  /** Bounds of one examination; tests shrink them. */
  readonly connectTimeoutMs?: number;
  readonly operationTimeoutMs?: number;
  readonly hostTimeoutMs?: number;
}

const atOnce = 8;

/**
 * Examines the hosts of a configuration, several at once; `only`: the one of that name, `localhost` being
 * this one. Ends in bounded time, whatever the hosts do. Throws an OperatorError for an unknown name.
 */
export async function examineHosts(config: Config, only: string | undefined, deps: DoctorDeps): Promise<HostReport[]> {
  const hosts = chooseHosts(hostsOfConfig(config), only);
  const { operationTimeoutMs = 10_000, stopwatch = () => performance.now() } = deps;
  const pool = createConnectionPool({ ...deps, log: silentLogger });
  const putsOffSleep = config.inhibitSleep ? config : undefined;
  const shared = { ...deps, pool, operationTimeoutMs, stopwatch, putsOffSleep };
  const reports: HostReport[] = [];
  const waiting = [...hosts.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, host] = next;
      reports[index] = await examineHost(host, shared);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
  } finally {
    await pool.close();
  }
  return reports;
}

function chooseHosts(hosts: readonly DoctorHost[], only: string | undefined): DoctorHost[] {
  if (only === undefined) return [...hosts];
  const chosen = hosts.filter(({ endpoint }) => (endpoint?.host ?? "localhost") === only);
  if (chosen.length > 0) return chosen;
  const names = [...new Set(hosts.map(({ endpoint }) => endpoint?.host ?? "localhost"))].join(", ");
  throw new OperatorError(`the configuration has no host ${JSON.stringify(only)}; it has ${names}`, { kind: "usage" });
}

async function examineHost(
  host: DoctorHost,
  deps: Omit<ExamineDeps, "report"> & Pick<DoctorDeps, "connectTimeoutMs" | "hostTimeoutMs">,
): Promise<HostReport> {
  const { connectTimeoutMs = 10_000, hostTimeoutMs = 60_000, clock } = deps;
  const findings: Finding[] = [];
  let over = false;
  const report = (...more: readonly Finding[]) => void (over || findings.push(...more));
  // Somebody sits there and waits: less patience than a job has will do.
  const endpoint = host.endpoint && {
    ...host.endpoint,
    connectTimeoutMs: Math.min(host.endpoint.connectTimeoutMs, connectTimeoutMs),
  };
  const examination = (
    endpoint === null ? examineHere(host, { ...deps, report }) : examineThere(host, endpoint, { ...deps, report })
  ).catch((error: unknown) => report(problem("examination", describeError(error), "look again: rsyncdirector doctor")));
  await new Promise<void>((resolve) => {
    const cancelTimer = clock.setTimer(hostTimeoutMs, () => {
      const message = `not at its end after ${hostTimeoutMs / 1000} s: the host hardly answers`;
      report(problem("examination", message, "look at its load, its disks and the way to it"));
      resolve();
    });
    void examination.then(() => {
      cancelTimer();
      resolve();
    });
  });
  over = true;
  const { host: name = null, user, port } = host.endpoint ?? {};
  return { host: name, user, port, jobs: host.jobs, findings };
}
