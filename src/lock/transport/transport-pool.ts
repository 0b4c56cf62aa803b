import { posix } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { LockAllowances, LockFile, SshEndpoint } from "../../config/resolved.ts";
import type { LockPlace } from "../../model/run.ts";
import { connectionKey, type ConnectionPool } from "../../ssh/connection-pool.ts";
import type { ResolvedHost } from "../../ssh/resolve-host.ts";
import { createLocalTransport } from "./local-transport.ts";
import type { LockTransport } from "./lock-transport.ts";
import type { WrapTransport } from "./operation-record.ts";
import { createProbedTransport } from "./probe.ts";
import { createRemoteTransport } from "./remote-transport.ts";

/** A lock file and the way to it. */
export interface LockTarget {
  readonly transport: LockTransport;
  readonly path: string;
  readonly place: LockPlace;
  /** Host and path in one canonical spelling: equal keys are the same file, and keys give the order of claiming. */
  readonly key: string;
}

export interface TransportPool {
  /** Never rejects: a host that cannot be resolved gets a transport that says so. */
  locate(lock: LockFile): Promise<LockTarget>;
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
export function createTransportPool(deps: TransportPoolDeps): TransportPool {
  const { connections, clock, record = (transport) => transport } = deps;
  const local = probed(record(createLocalTransport(deps)), clock);
  const remote = new Map<string, ReturnType<typeof probed>>();

  const remoteTransport = (key: string, endpoint: SshEndpoint) => {
    const known = remote.get(key);
    if (known !== undefined) return known;
    const made = probed(record(createRemoteTransport({ ...deps, endpoint, pool: connections })), clock);
    remote.set(key, made);
    return made;
  };

  return {
    locate: async (lock) => {
      const { path } = lock;
      const keyOn = (host: string) => `${host}\n${posix.normalize(path)}`;
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
      const { transport, allow } = remoteTransport(connectionKey(host, endpoint), endpoint);
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

/** A transport that tries a directory before it claims there, and what its lock files put up with. */
function probed(transport: LockTransport, clock: Clock) {
  const allowances = new Map<string, LockAllowances>();
  return {
    transport: createProbedTransport({ transport, clock, allows: (directory) => allowances.get(directory) }),
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
