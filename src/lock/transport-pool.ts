import { posix } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { LockFile, SshEndpoint } from "../config/resolved.ts";
import type { LockPlace } from "../model/run.ts";
import { connectionKey, type ConnectionPool } from "../ssh/connection-pool.ts";
import { createLocalTransport } from "./local-transport.ts";
import type { LockTransport } from "./lock-transport.ts";
import { createSshTransport } from "./ssh-transport.ts";

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
}

/** One transport per host and account, so that all jobs share its shell. */
export function createTransportPool(deps: TransportPoolDeps): TransportPool {
  const { connections } = deps;
  const local = createLocalTransport(deps);
  const remote = new Map<string, LockTransport>();

  const remoteTransport = (key: string, endpoint: SshEndpoint): LockTransport => {
    const transport = remote.get(key) ?? createSshTransport({ ...deps, endpoint, pool: connections });
    remote.set(key, transport);
    return transport;
  };

  return {
    locate: async (lock) => {
      const { path } = lock;
      const keyOn = (host: string) => `${host}\n${posix.normalize(path)}`;
      if (lock.type === "local") {
        return { transport: local, path, place: { host: null, path }, key: keyOn(`${deps.localHost}:22`) };
      }
      const { endpoint } = lock;
      const place = { host: endpoint.host, path };
      const resolution = await connections.resolve(endpoint);
      if (resolution.kind === "failed") {
        const transport = remoteTransport(JSON.stringify(endpoint), endpoint);
        return { transport, path, place, key: keyOn(`${endpoint.host}:${endpoint.port ?? 22}`) };
      }
      const { host } = resolution;
      const transport = remoteTransport(connectionKey(host, endpoint), endpoint);
      return { transport, path, place, key: keyOn(`${host.hostname}:${host.port}`) };
    },
  };
}
