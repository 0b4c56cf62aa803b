import { createServer } from "node:http";
import { CleanupStack } from "../base/cleanup-stack.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { WebListen } from "../config/web-listen.ts";
import { allowOwner } from "./access.ts";
import { listenOnSocket } from "./control-socket.ts";
import type { DirectorControl } from "./director-control.ts";
import { createEventStreams } from "./event-stream.ts";
import { closeServer, createRequestListener, limitServer, type Limits, serverOptions } from "./http-listener.ts";
import { listenOnNetwork, type RegisterPage } from "./network-listener.ts";

export interface WebListenersOptions {
  readonly control: DirectorControl;
  /** Absolute path of the control socket. */
  readonly socketPath: string;
  /** undefined: the control socket is the only way in. */
  readonly web: WebListen | undefined;
  /** Adds the status page to what answers on TCP. */
  readonly registerPage?: RegisterPage | undefined;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the control socket and of TCP; for tests. */
  readonly limits?: { readonly socket?: Partial<Limits>; readonly network?: Partial<Limits> };
}

export interface WebListeners {
  /** Where TCP answers; undefined: nowhere. */
  readonly address: { readonly addr: string; readonly port: number; readonly tls: boolean } | undefined;
  /** Ends every stream at once, and all else within a second. */
  close(): Promise<void>;
}

const socketLimits: Limits = { connections: 64, streams: 32, headersMs: 5_000, requestMs: 10_000 };
/** A browser that shows the page opens up to six, and each page follows one or two streams. */
const networkLimits: Limits = { connections: 64, streams: 32, headersMs: 5_000, requestMs: 10_000 };

/** Starts the control socket and, where it is configured, TCP: both, or nothing and an `OperatorError`. */
export async function startWebListeners(options: WebListenersOptions): Promise<WebListeners> {
  const { log } = options;
  const cleanup = new CleanupStack(log);
  try {
    cleanup.defer("control socket", await startControlSocket(options));
    const network = await startNetwork(options);
    if (network !== undefined) cleanup.defer("web listener", network.close);
    return { address: network?.address, close: async () => void (await cleanup.unwind()) };
  } catch (error) {
    await cleanup.unwind();
    throw error;
  }
}

async function startControlSocket(options: WebListenersOptions): Promise<() => Promise<void>> {
  const { control, socketPath, version, clock, log } = options;
  const limits = { ...socketLimits, ...options.limits?.socket };
  const streams = createEventStreams({ limit: limits.streams, clock, log });
  const app = { control, clock, version };
  const server = createServer(serverOptions(limits), createRequestListener({ admit: allowOwner(), streams, app, log }));
  limitServer(server, limits);
  const remove = await listenOnSocket(server, socketPath);
  // A host that is short of descriptors or memory is no reason to stop.
  server.on("error", (error) => log.warn({ error: describeError(error) }, "control socket failed"));
  log.info({ path: socketPath }, "control socket opened");
  return async () => {
    remove();
    await closeServer(server, { streams, clock });
  };
}

async function startNetwork({ web, ...options }: WebListenersOptions) {
  if (web === undefined) return undefined;
  const limits = { ...networkLimits, ...options.limits?.network };
  return listenOnNetwork({ ...options, web, limits });
}
