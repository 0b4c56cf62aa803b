import { posix } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import { lockPath } from "../../config/paths.ts";
import type { LockAllowances, LockFile, SshEndpoint } from "../../config/resolved.ts";
import type { LockPlace } from "../../model/run.ts";
import type { LockLimit } from "../../model/status.ts";
import { connectionKey, type ConnectionPool } from "../../ssh/connection-pool.ts";
import type { ResolvedHost } from "../../ssh/resolve-host.ts";
import { createLocalTransport } from "./local-transport.ts";
import type { LockTransport } from "./lock-transport.ts";
import type { WrapTransport } from "./operation-record.ts";
import { createProbedTransport } from "./probe.ts";
import { createRemoteTransport, type TransportLimit } from "./remote-transport.ts";

/** A lock file and the way to it. */
export interface LockTarget {
  readonly transport: LockTransport;
  readonly path: string;
  readonly place: LockPlace;
  /**
   * Host and path, as far as names tell: with the same transport equal keys are the same file (another account may see
   * another one there), and keys give the order of claiming. That different ones are not, only a claim can tell.
   */
  readonly key: string;
}

/** Leaves out what is named again further on by the same way: another account at that address may see another file. */
export function eachOnce<T>(entries: readonly T[], targetOf: (entry: T) => LockTarget): T[] {
  const isSame = (one: LockTarget, other: LockTarget) => one.key === other.key && one.transport === other.transport;
  return entries.filter(
    (entry, index) => !entries.slice(index + 1).some((other) => isSame(targetOf(entry), targetOf(other))),
  );
}

export interface TransportPool {
  /** Never rejects: a host that cannot be resolved gets a transport that says so. */
  locate(lock: LockFile): Promise<LockTarget>;
}

/** What the transports have found out while they worked; nothing is asked for it. */
export interface LockLimits {
  /** undefined: locks can be kept there in full, or nobody has tried yet. */
  readonly limitOf: (lock: LockFile) => LockLimit | undefined;
}

export interface TransportPoolDeps {
  readonly runTool: RunTool;
  readonly connections: ConnectionPool;
  readonly clock: Clock;
  readonly log: Logger;
  /** What other hosts call this one. */
  readonly localHost: string;
  readonly operationTimeoutMs: number;
  /** Sees every lock operation, to record it. */
  readonly record?: WrapTransport | undefined;
}

/** One transport per host and account, so that all jobs share its shell. */
export function createTransportPool(deps: TransportPoolDeps): TransportPool & LockLimits {
  const { connections, clock, record = (transport) => transport } = deps;
  const local = probed(record(createLocalTransport(deps)), clock);
  const remote = new Map<string, Way>();
  /** The same by what the configuration says, where several names may lead to one host. */
  const located = new Map<string, Way>();

  const remoteTransport = (key: string, endpoint: SshEndpoint): Way => {
    const known = remote.get(key);
    if (known !== undefined) return known;
    let limit: TransportLimit | undefined;
    const onLimit = (found: TransportLimit | undefined) => void (limit = found);
    const made = probed(record(createRemoteTransport({ ...deps, endpoint, pool: connections, onLimit })), clock);
    const way: Way = { ...made, limitOf: (path) => made.limitOf(path) ?? limit };
    remote.set(key, way);
    return way;
  };

  return {
    limitOf: (lock) => {
      const host = lock.type === "local" ? null : lock.endpoint.host;
      const way = lock.type === "local" ? local : located.get(JSON.stringify(lock.endpoint));
      const limit = way?.limitOf(lock.path);
      return limit && { host, ...limit };
    },
    locate: async (lock) => {
      const { path } = lock;
      const keyOn = (host: string) => `${host}\n${lockPath(path)}`;
      if (lock.type === "local") {
        local.allow(lock);
        return { transport: local.transport, path, place: { host: null, path }, key: keyOn(`${deps.localHost}:22`) };
      }
      const { endpoint } = lock;
      const place = { host: endpoint.host, path };
      const resolution = await connections.resolve(endpoint);
      if (resolution.kind === "failed") {
        const { transport } = remoteTransport(JSON.stringify(endpoint), endpoint);
        return { transport, path, place, key: keyOn(`${endpoint.host}:${endpoint.port ?? 22}`) };
      }
      const { host } = resolution;
      const way = remoteTransport(connectionKey(host, endpoint), endpoint);
      const { transport, allow } = way;
      located.set(JSON.stringify(endpoint), way);
      allow(lock);
      return { transport, path, place, key: keyOn(hostKeyOf(host)) };
    },
  };
}

/** The same name and port behind two different jump hosts may well be two different hosts. */
function hostKeyOf({ hostname, port, proxy }: ResolvedHost): string {
  const way = proxy === undefined ? "" : ` ${proxy.option} ${proxy.value}`;
  return `${hostname}:${port}${way}`;
}

interface Way {
  readonly transport: LockTransport;
  readonly allow: (lock: LockFile) => void;
  readonly limitOf: (path: string) => TransportLimit | undefined;
}

/** A transport that tries a directory before it claims there, and what its lock files put up with. */
function probed(transport: LockTransport, clock: Clock): Way {
  const allowances = new Map<string, LockAllowances>();
  const refusals = new Map<string, string>();
  const onJudged = (directory: string, refusal: string | undefined) => {
    if (refusal === undefined) refusals.delete(directory);
    else refusals.set(directory, refusal);
  };
  const allows = (directory: string) => allowances.get(directory);
  return {
    transport: createProbedTransport({ transport, clock, allows, onJudged }),
    limitOf: (path) => {
      const detail = refusals.get(posix.dirname(path));
      return detail === undefined ? undefined : { mode: "refused", detail };
    },
    allow: ({ path, allows }: LockFile): void => {
      if (allows === undefined) return;
      const directory = posix.dirname(path);
      const before = allowances.get(directory);
      allowances.set(directory, {
        unsafeDirectory: allows.unsafeDirectory || before?.unsafeDirectory === true,
        networkFileSystem: allows.networkFileSystem || before?.networkFileSystem === true,
      });
    },
  };
}
