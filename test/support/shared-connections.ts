import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { createMasterPool, type MasterPool } from "../../src/ssh/master-pool.ts";
import { type DelayProxy, type ProxyRules, startDelayProxy } from "./delay-proxy.ts";
import { createMemoryLog } from "./memory-log.ts";
import { processesMentioning } from "./process-state.ts";
import type { TestSshd } from "./sshd.ts";
import { makeTempDir } from "./temp-dir.ts";

export interface SharedConnections {
  readonly pool: MasterPool;
  readonly log: ReturnType<typeof createMemoryLog>;
  /** The directory of the sockets. */
  readonly directory: string;
  /** Their names. */
  sockets(): Promise<string[]>;
  /** Process ids of the masters. */
  masters(): number[];
}

/** A pool as a director has it, with its directory in one of the test's. */
export async function openSharedConnections(
  options: {
    clock?: Clock;
    directory?: string;
    programs?: { runTool: typeof runTool; startChild: typeof startChild };
  } = {},
): Promise<SharedConnections> {
  const directory = options.directory ?? join(await makeTempDir(), "ssh");
  const log = createMemoryLog();
  const { clock = systemClock, programs = { runTool, startChild } } = options;
  const pool = await createMasterPool({ ...programs, clock, log, directories: [directory] });
  onTestFinished(() => pool.close());
  return {
    pool,
    log,
    directory,
    sockets: () => readdir(directory).catch(() => []),
    masters: () => mastersIn(directory),
  };
}

export function mastersIn(directory: string): number[] {
  return processesMentioning(directory)
    .filter(({ argv }) => argv.includes("ControlMaster=yes"))
    .map(({ pid }) => pid);
}

/** How many times somebody has logged in. */
export async function loginsAt(sshd: TestSshd): Promise<number> {
  // Of what came at one time with the end of a sync, the log may not have been read yet.
  await new Promise((resolve) => setImmediate(resolve));
  return sshd.log().split("Accepted publickey").length - 1;
}

/** An endpoint whose connections are shared. */
export function shared(endpoint: SshEndpoint): SshEndpoint {
  return { ...endpoint, shareIdleMs: 60_000 };
}

/** A proxy in front of a host, and what an endpoint needs to go `through` it. */
export async function startProxyTo(
  sshd: TestSshd,
  rules: Partial<ProxyRules> = {},
): Promise<{ proxy: DelayProxy; through: Pick<SshEndpoint, "port" | "knownHostsFile"> }> {
  const proxy = await startDelayProxy({ target: { host: sshd.host, port: sshd.port }, ...rules });
  onTestFinished(() => proxy.close());
  const known = await readFile(sshd.knownHostsFile, "utf8");
  const knownHostsFile = join(await makeTempDir(), "known_hosts");
  await writeFile(knownHostsFile, known.replace(`:${sshd.port} `, `:${proxy.port} `));
  return { proxy, through: { port: proxy.port, knownHostsFile } };
}
