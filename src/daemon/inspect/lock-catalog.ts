import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Clock } from "../../base/clock.ts";
import type { StartChild } from "../../base/kept-child.ts";
import { silentLogger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { Config, Job, LockFile, SshEndpoint } from "../../config/resolved.ts";
import { createFenceFinder } from "../../lock/hold/fence-finder.ts";
import { describeOwner } from "../../lock/lock-owner.ts";
import type { LockRecord } from "../../lock/lock-record.ts";
import { createOwnerProbe, type OwnerProbe } from "../../lock/lease/stale-watch-owner.ts";
import { createTransportPool, type LockTarget } from "../../lock/transport/transport-pool.ts";
import { createConnectionPool, type ConnectionPool } from "../../ssh/connection-pool.ts";
import { instanceIdFile } from "../paths.ts";

/** A job of a configuration that names a lock file. */
export interface LockUse {
  readonly rsyncId: string;
  readonly job: string;
  readonly role: "takes" | "waits";
}

/** One lock file, whatever many jobs name it, in whatever spelling. */
export interface CatalogedLock {
  readonly lock: LockFile;
  readonly target: LockTarget;
  readonly uses: readonly LockUse[];
  /** Of the first job that names it: its history is told when a person breaks the lock. */
  readonly config: Config;
}

/** Every lock of some configurations, and the ways to them. */
export interface LockCatalog {
  readonly locks: readonly CatalogedLock[];
  readonly connections: ConnectionPool;
  /** Names of the installations that the configurations belong to, as they write them into their locks. */
  readonly installations: ReadonlySet<string>;
  /** Tells of owners on this machine whether they are dead. */
  readonly owners: OwnerProbe;
  /** The way to the hold file that a lock names, if one of the jobs knows its host. */
  reachFence(record: LockRecord): Promise<LockTarget | undefined>;
  close(): Promise<void>;
}

export interface CatalogDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Bounds of a look; tests shrink them. */
  readonly connectTimeoutMs?: number;
  readonly withinMs?: number;
}

/** Finds every lock file that the jobs take or wait for, each once. Connects to nobody yet. */
export async function openLockCatalog(configs: readonly Config[], deps: CatalogDeps): Promise<LockCatalog> {
  const { connectTimeoutMs = 10_000, withinMs = 20_000, env } = deps;
  const connections = createConnectionPool({ ...deps, log: silentLogger });
  const longest = Math.max(...configs.map(({ lockOperationTimeoutMs }) => lockOperationTimeoutMs));
  const transports = createTransportPool({
    ...deps,
    connections,
    log: silentLogger,
    localHost: hostname(),
    operationTimeoutMs: Math.min(longest, withinMs),
  });
  const owner = await describeOwner({ inst: "", name: "" });
  const jobs = configs.flatMap((config) => config.jobs.map((job) => ({ config, job: inHaste(job, connectTimeoutMs) })));
  const finders = jobs.map(({ job }) => createFenceFinder(job, { transports, owner }));
  const named = jobs.flatMap(({ config, job }) => usesOf(config, job));
  const located = await Promise.all(
    named.map(async (entry) => ({ ...entry, target: await transports.locate(entry.lock) })),
  );
  return {
    locks: eachOnce(located),
    connections,
    installations: await readInstallations(configs, env),
    owners: createOwnerProbe(owner),
    reachFence: async (record) => {
      for (const find of finders) {
        const way = await find(record);
        if (way !== undefined) return way;
      }
      return undefined;
    },
    close: () => connections.close(),
  };
}

/** Somebody sits there and waits: less patience than a job has will do. */
function inHaste(job: Job, connectTimeoutMs: number): Job {
  const bound = (endpoint: SshEndpoint): SshEndpoint => ({
    ...endpoint,
    connectTimeoutMs: Math.min(endpoint.connectTimeoutMs, connectTimeoutMs),
  });
  const hurry = <T extends LockFile>(lock: T): T =>
    lock.type === "local" ? lock : { ...lock, endpoint: bound(lock.endpoint) };
  return {
    ...job,
    targets: job.targets.map((target) => ({ ...target, endpoint: target.endpoint && bound(target.endpoint) })),
    lockFiles: job.lockFiles.map(hurry),
    blocksOn: job.blocksOn.map((block) => ({ ...block, lock: hurry(block.lock) })),
  };
}

interface Named {
  readonly config: Config;
  readonly lock: LockFile;
  readonly use: LockUse;
}

function usesOf(config: Config, job: Job): Named[] {
  const use = (role: LockUse["role"]) => ({ rsyncId: config.rsyncId, job: job.id, role });
  return [
    ...job.lockFiles.map((lock) => ({ config, lock, use: use("takes") })),
    ...job.blocksOn.map(({ lock }) => ({ config, lock, use: use("waits") })),
  ];
}

function eachOnce(located: readonly (Named & { target: LockTarget })[]): CatalogedLock[] {
  const byKey = new Map<string, CatalogedLock & { uses: LockUse[] }>();
  for (const { config, lock, use, target } of located) {
    const known = byKey.get(target.key);
    if (known === undefined) byKey.set(target.key, { config, lock, target, uses: [use] });
    else if (!known.uses.some((other) => JSON.stringify(other) === JSON.stringify(use))) known.uses.push(use);
  }
  return [...byKey.values()];
}

/** Only looks: who asks about locks may be somebody else than the director. */
async function readInstallations(configs: readonly Config[], env: CatalogDeps["env"]): Promise<Set<string>> {
  const names = await Promise.all(
    configs.map((config) => readFile(instanceIdFile(config, env), "utf8").catch(() => "")),
  );
  return new Set(names.map((name) => name.trim()).filter((name) => name !== ""));
}
