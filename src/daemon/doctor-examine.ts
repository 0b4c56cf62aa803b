import { describeError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import type { LockTransport } from "../lock/lock-transport.ts";
import { createScriptTransport } from "../lock/script-transport.ts";
import { createSftpTransport } from "../lock/sftp-transport.ts";
import type { ConnectionPool } from "../ssh/connection-pool.ts";
import type { Connection } from "../ssh/connection.ts";
import type { ResolvedHost } from "../ssh/resolve-host.ts";
import { factsCommand, readFacts } from "./doctor-facts.ts";
import {
  judgeClock,
  judgeLockDirectory,
  judgeRsync,
  judgeSpace,
  ok,
  problem,
  warning,
  type Finding,
} from "./doctor-findings.ts";
import type { DoctorHost } from "./doctor-hosts.ts";
import { examineLogin } from "./doctor-login.ts";
import { shellHere, shellThere, type RunOnHost } from "./doctor-shell.ts";

export interface ExamineDeps {
  readonly runTool: RunTool;
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  /** Milliseconds, finer than the clock's. */
  readonly stopwatch: () => number;
  readonly operationTimeoutMs: number;
  /** Told each finding as soon as it is there: an examination may never come to its end. */
  readonly report: (...findings: readonly Finding[]) => void;
}

const never = new AbortController().signal;

/** Looks at everything on this host. */
export async function examineHere(host: DoctorHost, deps: ExamineDeps): Promise<void> {
  const client = await deps.runTool(["ssh", "-V"], { timeoutMs: deps.operationTimeoutMs });
  deps.report(
    client.exitCode === 0
      ? ok("ssh client", client.stderr.trim().split("\n")[0] ?? "")
      : problem("ssh client", "is not installed", "apt-get install openssh-client"),
  );
  await examineByShell(host, await shellHere(deps), deps);
}

/** Looks at everything on another host, as far as one gets. */
export async function examineThere(host: DoctorHost, endpoint: SshEndpoint, deps: ExamineDeps): Promise<void> {
  const { pool, report, runTool, stopwatch } = deps;
  const resolution = await pool.resolve(endpoint);
  if (resolution.kind === "failed") return report(problem("address", resolution.message));
  const { host: resolved } = resolution;
  const way = resolved.proxy === undefined ? "" : ` by ${resolved.proxy.option} ${resolved.proxy.value}`;
  report(ok("address", `${resolved.user}@${resolved.hostname}:${resolved.port}${way}`));
  report(...(await examineLogin(resolved, endpoint, runTool)));
  const start = stopwatch();
  const used = await pool.use(endpoint, (connection) => {
    const took = Math.round(stopwatch() - start);
    const by = connection.carrier.name === "ssh2" ? "" : ` with the ssh client (${connection.carrier.reason})`;
    report(ok("reach", `connected in ${took} ms${by}`));
    return examineConnected(host, connection, deps);
  });
  if (used.kind !== "done") return report(problem("reach", used.message, remedyOfReach(used.kind, resolved)));
  if (used.value !== "shell") await examineOverSftp(host, endpoint, used.value.noShell, deps);
}

function remedyOfReach(kind: "refused" | "unreachable", host: ResolvedHost): string {
  const port = host.port === 22 ? "" : ` -p ${host.port}`;
  const account = `${host.user}@${host.hostname}`;
  return kind === "refused" ? `ssh${port} -o BatchMode=yes ${account} true` : `ssh -v${port} ${account} true`;
}

async function examineConnected(
  host: DoctorHost,
  connection: Connection,
  deps: ExamineDeps,
): Promise<"shell" | { noShell: string }> {
  const { report } = deps;
  try {
    const shell = await shellThere(connection, deps);
    if (shell.kind === "none") {
      connection.destroy("there is no shell");
      return { noShell: shell.detail };
    }
    report(ok("round trip", `${(await medianTrip(shell.run, deps)).toFixed(1)} ms`));
    const lacksFlock = await examineByShell(host, shell.run, deps);
    if (!lacksFlock) return "shell";
    connection.destroy("locks need another way");
    return { noShell: "the host has no working flock(1)" };
  } catch (error) {
    report(problem("shell", describeError(error)));
    return "shell";
  }
}

/** Of five warm operations, so that one hiccup of the network does not count. */
async function medianTrip(run: RunOnHost, { stopwatch }: ExamineDeps): Promise<number> {
  const trips: number[] = [];
  for (let trip = 0; trip < 5; trip += 1) {
    const start = stopwatch();
    await run("true");
    trips.push(stopwatch() - start);
  }
  return trips.toSorted((a, b) => a - b)[2] ?? Number.NaN;
}

/** Whether the locks have to be tried in another way, because the host has no flock. */
async function examineByShell(host: DoctorHost, run: RunOnHost, deps: ExamineDeps): Promise<boolean> {
  const { clock, report } = deps;
  const paths = [...host.destinations, ...host.lockDirectories.map(({ path }) => path)];
  const before = clock.now();
  const answer = await run(factsCommand(paths));
  if (answer.kind !== "answered") {
    report(problem("shell", answer.detail));
    return false;
  }
  const facts = readFacts(answer.lines, paths);
  report(ok("shell", [facts.user, facts.release].filter(Boolean).join(" on ") || "answers"));
  if (facts.now !== undefined && host.endpoint !== null) report(judgeClock(facts.now - before / 1000));
  const rsync = judgeRsync(facts, host.needsRsync);
  if (rsync !== undefined) report(rsync);
  report(...judgeSpace(host, facts));
  const transport = createScriptTransport({ host: host.endpoint?.host ?? null, run });
  const lacksFlock = await examineDirectories(host, transport, { ...deps, mayLackFlock: host.endpoint !== null });
  return lacksFlock;
}

async function examineOverSftp(
  host: DoctorHost,
  endpoint: SshEndpoint,
  noShell: string,
  deps: ExamineDeps,
): Promise<void> {
  const { report } = deps;
  const claims = host.lockDirectories.length > 0;
  const restricted = `${noShell}; locks go over sftp, where a stale one is never broken and no writer is fenced`;
  report(claims ? warning("shell", restricted) : warning("shell", `${noShell}: nothing more can be told`));
  if (claims)
    await examineDirectories(host, createSftpTransport({ ...deps, endpoint }), { ...deps, mayLackFlock: false });
}

async function examineDirectories(
  host: DoctorHost,
  transport: LockTransport,
  deps: ExamineDeps & { mayLackFlock: boolean },
): Promise<boolean> {
  const own = host.lockDirectories.filter(({ claims }) => claims);
  const others = host.lockDirectories.filter(({ claims }) => !claims);
  const probes =
    own.length === 0
      ? []
      : await transport.probe(
          own.map(({ path }) => path),
          never,
        );
  if (deps.mayLackFlock && probes.some((answer) => answer.kind === "probed" && answer.flock === false)) return true;
  deps.report(...own.map((directory, index) => judgeLockDirectory(directory, probes[index])));
  // Where others lock one need not be able to write: it is enough to be able to look.
  const looks = await transport.check(
    others.map(({ path }) => `${path}/.rsyncdirector-looks`),
    never,
  );
  others.forEach(({ path }, index) => {
    const look = looks[index];
    const flaw = look?.kind === "error" || look?.kind === "unknown" ? look.detail : undefined;
    deps.report(
      flaw === undefined
        ? ok("blocks", `${path} can be looked at`)
        : problem(
            "blocks",
            `${path}: ${flaw}`,
            flaw.includes("does not exist") ? `install -d -m 0755 '${path}'` : undefined,
          ),
    );
  });
  return false;
}
