import { createConnection, type Socket } from "node:net";
import type { Client } from "ssh2";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { loadIdentities, type Identities } from "./identities.ts";
import {
  appendHostKey,
  hostKeyAlgorithms,
  judgeHostKey,
  lookUpHostKeys,
  type HostKeys,
  type HostKeyVerdict,
} from "./known-hosts.ts";
import { openShellChannel, type ShellChannel } from "./shell-channel.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** An SSH connection that has logged in. */
export interface Connection {
  /** `user@host:port`, for messages. */
  readonly name: string;
  readonly closed: boolean;
  /** Calls the listener once, with the cause, when the connection has ended; at once if it has already. */
  onClosed(listener: (cause: string) => void): void;
  /** Starts `/bin/sh -s` on the other side. Rejects when that fails or takes longer than `timeoutMs`. */
  openShell(timeoutMs: number): Promise<ShellChannel>;
  /** Ends it without waiting for anything. */
  destroy(cause: string): void;
}

/**
 * `refused` is a wrong key, a wrong host or an impossible configuration, which a person has to put right;
 * `contacted` says that the host noticed, so that trying again soon does harm. `unreachable` may pass by
 * itself.
 */
export type ConnectResult =
  | { readonly kind: "connected"; readonly connection: Connection }
  | { readonly kind: "refused"; readonly message: string; readonly contacted: boolean }
  | { readonly kind: "unreachable"; readonly message: string };

export interface ConnectionDeps {
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up an attempt that is under way; an open connection is not touched. */
  readonly signal: AbortSignal;
}

const readyTimeoutMs = 20_000;

/** Connects and logs in. Never rejects; ends within the connect timeout plus 20 s. */
export async function openConnection(
  host: ResolvedHost,
  endpoint: SshEndpoint,
  deps: ConnectionDeps,
): Promise<ConnectResult> {
  const name = `${host.user}@${host.hostname}:${host.port}`;
  if (host.proxy !== undefined) {
    const message = `${name} is reached by ${host.proxy.option} (${host.proxy.value}): lock files behind it are not available in this version`;
    return { kind: "refused", message, contacted: false };
  }
  const identities = await loadIdentities(host);
  if (identities.methods.length === 0) {
    return { kind: "refused", message: explain(`no usable key to log in at ${name}`, identities), contacted: false };
  }
  const known = await lookUpHostKeys(host, deps.runTool);
  const { default: ssh2 } = await import("ssh2");
  const client = new ssh2.Client();
  // Last, and handed over without a pause: ssh2 does not notice a socket that has ended before.
  const socket = await openSocket(host, endpoint.connectTimeoutMs, deps);
  if (socket.kind === "failed") return { kind: "unreachable", message: `cannot connect to ${name}: ${socket.message}` };
  try {
    return await logIn(client, socket.socket, { name, host, endpoint, identities, known, deps });
  } catch (error) {
    // connect() throws at once when its settings make no sense, for instance a key of an unknown kind.
    socket.socket.destroy();
    return { kind: "refused", message: `cannot log in at ${name}: ${describeError(error)}`, contacted: true };
  }
}

type OpenedSocket =
  { readonly kind: "open"; readonly socket: Socket } | { readonly kind: "failed"; readonly message: string };

/** ssh2 leaves Nagle's algorithm on, which makes a small request wait 40 ms for an acknowledgement. */
function openSocket(host: ResolvedHost, timeoutMs: number, deps: ConnectionDeps): Promise<OpenedSocket> {
  return new Promise((resolve) => {
    const socket = createConnection({
      host: host.hostname,
      port: host.port,
      family: host.addressFamily,
      noDelay: true,
      keepAlive: true,
    });
    const finish = (result: OpenedSocket) => {
      cancelTimer();
      deps.signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("connect");
      if (result.kind === "failed") socket.destroy();
      resolve(result);
    };
    const onAbort = () => finish({ kind: "failed", message: "given up" });
    deps.signal.addEventListener("abort", onAbort);
    const cancelTimer = deps.clock.setTimer(timeoutMs, () => finish({ kind: "failed", message: "no answer in time" }));
    socket.once("connect", () => finish({ kind: "open", socket }));
    // Stays for the whole life of the socket: an error without a listener would end the daemon.
    socket.on("error", (error) => finish({ kind: "failed", message: describeError(error) }));
  });
}

interface LoginContext {
  readonly name: string;
  readonly host: ResolvedHost;
  readonly endpoint: SshEndpoint;
  readonly identities: Identities;
  readonly known: HostKeys;
  readonly deps: ConnectionDeps;
}

async function logIn(client: Client, socket: Socket, context: LoginContext): Promise<ConnectResult> {
  const { name, host, endpoint, identities, known, deps } = context;
  const algorithms = hostKeyAlgorithms(known);
  let verdict: HostKeyVerdict | undefined;
  let presented: Buffer | undefined;
  const outcome = new Promise<ConnectResult>((resolve) => {
    client.once("ready", () => resolve({ kind: "connected", connection: wrapClient(client, socket, name, deps) }));
    client.on("error", (error) => {
      if (verdict?.kind === "refused") return resolve(refused(verdict.message));
      resolve(classify(error, name, identities, known.name));
    });
    client.once("close", () => {
      resolve({ kind: "unreachable", message: `${name} closed the connection before the login was complete` });
    });
  });
  client.connect({
    sock: socket,
    username: host.user,
    authHandler: [...identities.methods],
    readyTimeout: readyTimeoutMs,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      presented = key;
      verdict = judgeHostKey(known, key, endpoint.hostKeyPolicy);
      return verdict.kind !== "refused";
    },
    ...(algorithms === undefined ? {} : { algorithms: { serverHostKey: algorithms as never } }),
  });
  const onAbort = () => client.destroy();
  deps.signal.addEventListener("abort", onAbort);
  const result = await outcome;
  deps.signal.removeEventListener("abort", onAbort);
  if (result.kind !== "connected") client.destroy();
  // Only now has the server proved that the key is its own.
  else if (verdict?.kind === "new" && presented !== undefined) {
    deps.log.warn({ host: known.name }, "new host key accepted and filed");
    await appendHostKey(host, known, presented).catch((error: unknown) => {
      deps.log.error({ host: known.name, error: describeError(error) }, "new host key could not be filed");
    });
  }
  return result;
}

function classify(
  error: Error & { level?: string },
  name: string,
  identities: Identities,
  keyName: string,
): ConnectResult {
  if (/no matching host key format/.test(error.message)) {
    const message = `the host key of ${keyName} is of another kind than the one on file: it was changed, or known_hosts lacks it (ssh-keyscan prints all kinds)`;
    return refused(message);
  }
  if (error.level === "client-authentication" || /too many authentication failures/i.test(error.message)) {
    return refused(explain(`${name} refused the login: ${error.message}`, identities));
  }
  return { kind: "unreachable", message: `cannot connect to ${name}: ${error.message}` };
}

function refused(message: string): ConnectResult {
  return { kind: "refused", message, contacted: true };
}

function explain(message: string, identities: Identities): string {
  return [message, ...identities.passedOver].join("; ");
}

function wrapClient(client: Client, socket: Socket, name: string, deps: ConnectionDeps): Connection {
  let cause: string | undefined;
  let lastError: string | undefined;
  const listeners: Array<(cause: string) => void> = [];
  const end = (why: string) => {
    if (cause !== undefined) return;
    cause = why;
    deps.log.debug({ host: name, cause }, "ssh connection ended");
    for (const listener of listeners.splice(0)) listener(why);
  };
  client.on("error", (error) => (lastError = error.message));
  client.once("close", () => end(lastError ?? "the connection was closed"));
  return {
    name,
    get closed() {
      return cause !== undefined;
    },
    onClosed: (listener) => void (cause === undefined ? listeners.push(listener) : listener(cause)),
    openShell: (timeoutMs) => openShellChannel(client, timeoutMs, deps.clock),
    destroy: (why) => {
      end(why);
      client.destroy();
      socket.destroy();
    },
  };
}
