import { setMaxListeners } from "node:events";
import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { StartChild } from "../base/kept-child.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { Connection, ConnectionDeps, ConnectResult } from "./connection.ts";
import { lastHop } from "./jump-hosts.ts";
import { openConnection } from "./open-connection.ts";
import { createHostResolver, type HostResolution, type ResolvedHost } from "./resolve-host.ts";

/** Opens connections, shares them and closes them when nobody has used them for a while. */
export interface ConnectionPool {
  /** What OpenSSH's configuration makes of an endpoint. */
  resolve(endpoint: SshEndpoint): Promise<HostResolution>;
  /**
   * Hands `work` the connection to a host, opened now if need be; it stays open at least until `work`
   * has settled. The answer is that of `work`, or why there was no connection. Never rejects by itself.
   */
  use<T>(endpoint: SshEndpoint, work: (connection: Connection) => Promise<T>): Promise<Used<T>>;
  /** Ends every connection. */
  close(): Promise<void>;
}

interface Entry {
  readonly breaker: CircuitBreaker;
  connecting: Promise<ConnectResult> | undefined;
  users: number;
  cancelIdle: CancelTimer | undefined;
  /** Why the ssh client carries it, as the log has been told. */
  toldReason: string | undefined;
}

type NoConnection = Exclude<ConnectResult, { kind: "connected" }>;
type Used<T> = { readonly kind: "done"; readonly value: T } | NoConnection;

export interface ConnectionPoolDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly log: Logger;
  readonly idleMs?: number;
  /** Replaced in unit tests. */
  readonly open?: typeof openConnection;
}

/** Connections are shared by those who would be the same user with the same key on the same host. */
export function connectionKey(host: ResolvedHost, endpoint: SshEndpoint): string {
  const { user, hostname, port, identityFiles, certificateFiles, userKnownHostsFiles, proxy } = host;
  const { hostKeyPolicy, connectTimeoutMs, transport } = endpoint;
  return JSON.stringify([
    user,
    hostname,
    port,
    identityFiles,
    certificateFiles,
    userKnownHostsFiles,
    proxy,
    hostKeyPolicy,
    connectTimeoutMs,
    transport,
  ]);
}

export function createConnectionPool(deps: ConnectionPoolDeps): ConnectionPool {
  const { clock, log, idleMs = 90_000, open = openConnection } = deps;
  const resolver = createHostResolver(deps);
  const entries = new Map<string, Entry>();
  const turns = new Map<string, Promise<unknown>>();
  const ending = new AbortController();
  // Every login under way listens to it.
  setMaxListeners(0, ending.signal);
  const closed = () => ending.signal.aborted;

  const connect = async (host: ResolvedHost, endpoint: SshEndpoint, entry: Entry, chain: Chain) => {
    const refusal = entry.breaker.refusal(clock.monotonic());
    if (refusal !== undefined) return { kind: "refused", message: refusal, contacted: false } as const;
    const throughGate = gateOpener(endpoint, chain);
    const result = await takeTurn(turns, placeOf(host), () =>
      open(host, endpoint, { ...deps, signal: ending.signal, throughGate }),
    );
    if (result.kind === "refused" && result.contacted) entry.breaker.failed(result.message, clock.monotonic());
    if (result.kind !== "connected") {
      resolver.forget(endpoint);
      log.debug({ host: host.givenHost, message: result.message }, "ssh connection failed");
      return result;
    }
    entry.breaker.succeeded();
    const { carrier } = result.connection;
    if (carrier.name === "openssh" && entry.toldReason !== carrier.reason) {
      log.info({ host: host.givenHost, reason: carrier.reason }, "the ssh client carries the lock connections");
      entry.toldReason = carrier.reason;
    }
    if (closed()) result.connection.destroy("the connections were closed");
    return result;
  };
  const connected = async (
    host: ResolvedHost,
    endpoint: SshEndpoint,
    entry: Entry,
    chain: Chain,
  ): Promise<ConnectResult> => {
    if (closed()) return { kind: "unreachable", message: "the connections were closed" };
    const attempt = (entry.connecting ??= connect(host, endpoint, entry, chain));
    const result = await attempt;
    if (result.kind === "connected" && !result.connection.closed) return result;
    if (entry.connecting === attempt) entry.connecting = undefined;
    // A connection that has died since is replaced; a failed attempt is everybody's answer.
    return result.kind === "connected" ? connected(host, endpoint, entry, chain) : result;
  };
  const closeIdle = (entry: Entry, connection: Connection) => {
    entry.cancelIdle = clock.setTimer(idleMs, () => {
      entry.connecting = undefined;
      connection.destroy("nobody used the connection");
    });
  };

  const use = async <T>(
    endpoint: SshEndpoint,
    work: (connection: Connection) => Promise<T>,
    before: Chain,
  ): Promise<Used<T>> => {
    const resolution = await resolver.resolve(endpoint);
    if (resolution.kind === "failed") return { kind: "refused", message: resolution.message, contacted: false };
    const { host } = resolution;
    const chain = [...before, placeOf(host)];
    if (before.includes(placeOf(host))) {
      return {
        kind: "refused",
        message: `the jump hosts go round in a circle: ${chain.join(" → ")}`,
        contacted: false,
      };
    }
    const key = connectionKey(host, endpoint);
    const entry = entries.get(key) ?? {
      breaker: new CircuitBreaker(),
      connecting: undefined,
      users: 0,
      cancelIdle: undefined,
      toldReason: undefined,
    };
    entries.set(key, entry);
    entry.users += 1;
    entry.cancelIdle?.();
    let connection: Connection | undefined;
    try {
      const result = await connected(host, endpoint, entry, chain);
      if (result.kind !== "connected") return result;
      connection = result.connection;
      return { kind: "done", value: await work(connection) };
    } finally {
      entry.users -= 1;
      if (entry.users === 0 && connection?.closed === false) closeIdle(entry, connection);
    }
  };
  /** The jump host stays in use until the connection through it has ended. */
  const gateOpener =
    (endpoint: SshEndpoint, chain: Chain): ConnectionDeps["throughGate"] =>
    (proxyJump, work) => {
      const gate = lastHop(proxyJump, endpoint);
      if (gate === undefined) {
        const message = `the jump host ${JSON.stringify(proxyJump)} makes no sense`;
        return Promise.resolve({ kind: "refused", message, contacted: false });
      }
      return new Promise((resolve, reject) => {
        const lend = async (connection: Connection) => {
          const result = await work(connection);
          resolve(result);
          if (result.kind === "connected") await untilClosed(result.connection);
        };
        use(gate, lend, chain).then((used) => {
          if (used.kind === "refused") {
            resolve({ ...used, message: `jump host ${gate.host}: ${used.message}`, contacted: false });
          } else if (used.kind === "unreachable") {
            resolve({ ...used, message: `jump host ${gate.host}: ${used.message}` });
          }
        }, reject);
      });
    };

  return {
    resolve: (endpoint) => resolver.resolve(endpoint),
    use: (endpoint, work) => use(endpoint, work, []),
    close: async () => {
      ending.abort();
      for (const entry of entries.values()) {
        entry.cancelIdle?.();
        const result = await entry.connecting;
        if (result?.kind === "connected") result.connection.destroy("the connections were closed");
      }
    },
  };
}

/** The hosts that are being connected to, each through the one behind it, as `hostname:port`. */
type Chain = readonly string[];

function placeOf({ hostname, port }: ResolvedHost): string {
  return `${hostname}:${port}`;
}

function untilClosed(connection: Connection): Promise<void> {
  return new Promise((resolve) => connection.onClosed(() => resolve()));
}

/** One login at a time per host: sshd drops unauthenticated connections at random beyond a few. */
async function takeTurn<T>(turns: Map<string, Promise<unknown>>, key: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(key) ?? Promise.resolve();
  const turn = before.then(work, work);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
