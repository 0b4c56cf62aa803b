import { describeError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import type { LockTransport } from "../../lock/transport/lock-transport.ts";
import { quoteWord } from "../../base/shell-words.ts";
import { hasNoFlock } from "../../lock/transport/probe.ts";
import { createScriptTransport } from "../../lock/transport/script-transport.ts";
import { createSftpTransport } from "../../lock/transport/sftp-transport.ts";
import type { ConnectionPool } from "../../ssh/connection-pool.ts";
import type { Connection } from "../../ssh/connection.ts";
import type { ResolvedHost } from "../../ssh/resolve-host.ts";
import { sshCommand, sshDestination } from "../../ssh/ssh-arguments.ts";
import { factsCommand, readFacts } from "./doctor-facts.ts";
import {
  judgeBlocks,
  judgeClock,
  judgeHoldDirectory,
  judgeLockDirectory,
  judgeRsync,
  judgeRsyncWithoutShell,
  judgeSpace,
  ok,
  problem,
  warning,
  type Finding,
} from "./doctor-findings.ts";
import type { DoctorHost } from "./doctor-hosts.ts";
import { examineLogin } from "./doctor-login.ts";
import { examineSleep } from "./doctor-sleep.ts";
import { shellHere, shellThere, type RunOnHost } from "./doctor-shell.ts";

export interface ExamineDeps {
  readonly runTool: RunTool;
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  /** Milliseconds, finer than the clock's. */
  readonly stopwatch: () => number;
  readonly operationTimeoutMs: number;
  /** undefined: nobody wants sleep to be put off. */
  readonly putsOffSleep: { readonly rsyncId: string } | undefined;
  /** Told each finding as soon as it is there: an examination may never come to its end. */
  readonly report: (...findings: readonly Finding[]) => void;
}

const never = new AbortController().signal;
const noFlock = "the host has no working flock(1)";

/** Looks at everything on this host. */
export async function examineHere(host: DoctorHost, deps: ExamineDeps): Promise<void> {
  const client = await deps.runTool(["ssh", "-V"], { timeoutMs: deps.operationTimeoutMs });
  deps.report(
    client.exitCode === 0
      ? ok("ssh client", client.stderr.trim().split("\n")[0] ?? "")
      : problem("ssh client", "is not installed", "apt-get install openssh-client"),
  );
  if (deps.putsOffSleep !== undefined) deps.report(await examineSleep(deps.putsOffSleep.rsyncId, deps));
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
    return examineConnected(host, endpoint, { connection, deps });
  });
  if (used.kind !== "done") return report(problem("reach", used.message, remedyOfReach(used, resolved, endpoint)));
  if (used.value !== "shell") await examineOverSftp(host, endpoint, used.value.noShell, deps);
}

/** What the director itself would say to ssh, so that a person sees the same. */
function loginCommand(endpoint: SshEndpoint, more: readonly string[] = []): string {
  const [ssh, ...options] = sshCommand(endpoint);
  return [ssh, ...more, ...options, sshDestination(endpoint)].map(quoteWord).join(" ");
}

function remedyOfReach(
  used: { kind: "refused" | "unreachable"; message: string },
  host: ResolvedHost,
  endpoint: SshEndpoint,
): string {
  if (used.kind === "unreachable") return `${loginCommand(endpoint, ["-v"])} true`;
  const { identityFile } = endpoint;
  if (identityFile === undefined || !used.message.includes("refused the login"))
    return `${loginCommand(endpoint)} true`;
  const port = host.port === 22 ? "" : `-p ${host.port} `;
  return `ssh-copy-id -i ${quoteWord(identityFile)}.pub ${port}${host.user}@${host.hostname}, with a key or password that is let in`;
}

async function examineConnected(
  host: DoctorHost,
  endpoint: SshEndpoint,
  { connection, deps }: { connection: Connection; deps: ExamineDeps },
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
    return { noShell: noFlock };
  } catch (error) {
    const remedy = `${loginCommand(endpoint)} true, which has to end without a word`;
    report(problem("shell", describeError(error), remedy));
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
    report(problem("shell", answer.detail, "look again; if it stays so, log in and see what is slow there"));
    return false;
  }
  const facts = readFacts(answer.lines, paths);
  report(ok("shell", [facts.user, facts.release].filter(Boolean).join(" on ") || "answers"));
  if (facts.now !== undefined && host.endpoint !== null) report(judgeClock(facts.now - before / 1000));
  const rsync = judgeRsync(facts, host.needsRsync);
  if (rsync !== undefined) report(rsync);
  report(...judgeSpace(host, facts));
  const transport = createScriptTransport({ host: host.endpoint?.host ?? null, run });
  await examineHolds(host, transport, deps);
  const lacksFlock = await examineDirectories(host, transport, { ...deps, mayLackFlock: host.endpoint !== null });
  return lacksFlock;
}

async function examineHolds(
  { holdDirectories }: DoctorHost,
  transport: LockTransport,
  { report }: ExamineDeps,
): Promise<void> {
  if (holdDirectories.length === 0) return;
  const paths = holdDirectories.map(({ path }) => path);
  const probes = await transport.probe(paths, never);
  report(...holdDirectories.map((directory, index) => judgeHoldDirectory(directory, probes[index])));
}

async function examineOverSftp(
  host: DoctorHost,
  endpoint: SshEndpoint,
  noShell: string,
  deps: ExamineDeps,
): Promise<void> {
  const { report } = deps;
  const claims = host.lockDirectories.length > 0;
  const why = noShell.replace(/\.$/, "");
  const restricted = `${why}; locks go over sftp, where a stale one is never broken and no writer is fenced`;
  const remedy = "allow commands for this account, if that matters here";
  report(warning("shell", claims ? restricted : `${why}: nothing more can be told`, remedy));
  // Without flock(1) there is a shell all the same, which has told of rsync already.
  const rsync = noShell === noFlock ? undefined : judgeRsyncWithoutShell(host.needsRsync);
  if (rsync !== undefined) report(rsync);
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
  if (deps.mayLackFlock && probes.some(hasNoFlock)) return true;
  deps.report(...own.map((directory, index) => judgeLockDirectory(directory, probes[index])));
  const looks = await transport.check(
    others.map(({ path }) => `${path}/.rsyncdirector-looks`),
    never,
  );
  deps.report(...others.map(({ path }, index) => judgeBlocks(path, looks[index])));
  return false;
}
