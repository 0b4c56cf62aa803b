import { createConnection } from "node:net";
import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { describeError } from "../base/errors.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import type { Connection, ConnectionDeps, ConnectResult } from "./connection.ts";
import { openForwardStream } from "./forward-stream.ts";
import { explainLogin, type Identities } from "./identities.ts";
import { appendHostKey, hostKeyAlgorithms, judgeHostKey, type HostKeys, type HostKeyVerdict } from "./known-hosts.ts";
import type { ResolvedHost } from "./resolve-host.ts";
import { openSftpSession } from "./sftp-session.ts";
import { openShellChannel } from "./shell-channel.ts";

const readyTimeoutMs = 20_000;

/** `beyond`: the server wants something that ssh2 does not know, such as a newer key exchange. */
export type Ssh2Result = ConnectResult | { readonly kind: "beyond"; readonly reason: string };

/** A host, and everything about it that has to be known before connecting. */
export interface LoginPlan {
  readonly name: string;
  readonly host: ResolvedHost;
  readonly endpoint: SshEndpoint;
  readonly identities: Identities;
  readonly known: HostKeys;
  readonly deps: ConnectionDeps;
}

/** Connects and logs in with ssh2, through `gate` if there is one. Never rejects. */
export async function openSsh2Connection(plan: LoginPlan, gate: Connection | undefined): Promise<Ssh2Result> {
  const { name, host, endpoint, identities, deps } = plan;
  if (identities.methods.length === 0) {
    return {
      kind: "refused",
      message: explainLogin(`no usable key to log in at ${name}`, identities),
      contacted: false,
    };
  }
  const { default: ssh2 } = await import("ssh2");
  const client = new ssh2.Client();
  // Last, and handed over without a pause: ssh2 does not notice a socket that has ended before.
  const opened = await (gate === undefined
    ? openSocket(host, endpoint.connectTimeoutMs, deps)
    : openThrough(gate, plan));
  if (opened.kind === "failed") return { kind: "unreachable", message: `cannot connect to ${name}: ${opened.message}` };
  try {
    return await logIn(client, opened.stream, plan);
  } catch (error) {
    // connect() throws at once when its settings make no sense, for instance a key of an unknown kind.
    opened.stream.destroy();
    return { kind: "refused", message: `cannot log in at ${name}: ${describeError(error)}`, contacted: true };
  }
}

type OpenedStream =
  { readonly kind: "open"; readonly stream: Duplex } | { readonly kind: "failed"; readonly message: string };

async function openThrough(gate: Connection, { host, endpoint, deps }: LoginPlan): Promise<OpenedStream> {
  try {
    return { kind: "open", stream: await gate.openStream(host, endpoint.connectTimeoutMs, deps.signal) };
  } catch (error) {
    return { kind: "failed", message: `through ${gate.name}: ${describeError(error)}` };
  }
}

/** ssh2 leaves Nagle's algorithm on, which makes a small request wait 40 ms for an acknowledgement. */
function openSocket(host: ResolvedHost, timeoutMs: number, deps: ConnectionDeps): Promise<OpenedStream> {
  return new Promise((resolve) => {
    const socket = createConnection({
      host: host.hostname,
      port: host.port,
      family: host.addressFamily,
      noDelay: true,
      keepAlive: true,
    });
    const finish = (result: OpenedStream) => {
      cancelTimer();
      deps.signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("connect");
      if (result.kind === "failed") socket.destroy();
      resolve(result);
    };
    const onAbort = () => finish({ kind: "failed", message: "given up" });
    deps.signal.addEventListener("abort", onAbort);
    const cancelTimer = deps.clock.setTimer(timeoutMs, () => finish({ kind: "failed", message: "no answer in time" }));
    socket.once("connect", () => finish({ kind: "open", stream: socket }));
    // Stays for the whole life of the socket: an error without a listener would end the daemon.
    socket.on("error", (error) => finish({ kind: "failed", message: describeError(error) }));
  });
}

async function logIn(client: Client, stream: Duplex, plan: LoginPlan): Promise<Ssh2Result> {
  const { name, host, endpoint, identities, known, deps } = plan;
  const algorithms = hostKeyAlgorithms(known);
  let verdict: HostKeyVerdict | undefined;
  let presented: Buffer | undefined;
  const outcome = new Promise<Ssh2Result>((resolve) => {
    client.once("ready", () => resolve({ kind: "connected", connection: wrapClient(client, stream, name, deps) }));
    client.on("error", (error) => {
      if (verdict?.kind === "refused") return resolve(refused(verdict.message));
      resolve(classify(error, name, identities, known.name));
    });
    client.once("close", () => {
      resolve({ kind: "unreachable", message: `${name} closed the connection before the login was complete` });
    });
  });
  client.connect({
    sock: stream as never,
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
): Ssh2Result {
  if (/no matching host key format/.test(error.message)) {
    const message = `the host key of ${keyName} is of another kind than the one on file: it was changed, or known_hosts lacks it (ssh-keyscan prints all kinds)`;
    return refused(message);
  }
  if (/no matching (?:key exchange|C->S|S->C)/.test(error.message)) return { kind: "beyond", reason: error.message };
  if (error.level === "client-authentication" || /too many authentication failures/i.test(error.message)) {
    return refused(explainLogin(`${name} refused the login: ${error.message}`, identities));
  }
  return { kind: "unreachable", message: `cannot connect to ${name}: ${error.message}` };
}

function refused(message: string): ConnectResult {
  return { kind: "refused", message, contacted: true };
}

function wrapClient(client: Client, stream: Duplex, name: string, deps: ConnectionDeps): Connection {
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
    carrier: { name: "ssh2" },
    get closed() {
      return cause !== undefined;
    },
    onClosed: (listener) => void (cause === undefined ? listeners.push(listener) : listener(cause)),
    openShell: (timeoutMs) => openShellChannel(client, timeoutMs, deps.clock),
    openSftp: (timeoutMs) => openSftpSession(client, timeoutMs, deps.clock),
    openStream: (to, timeoutMs, signal) => openForwardStream(client, to, { timeoutMs, clock: deps.clock, signal }),
    destroy: (why) => {
      end(why);
      client.destroy();
      stream.destroy();
    },
  };
}
