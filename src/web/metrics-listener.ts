import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIPv6, type AddressInfo } from "node:net";
import { sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { coerceError, describeError, OperatorError, systemErrorCode } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { MetricsListen } from "../config/resolved.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** What /healthz says. It is read by strangers: no paths, hosts or messages of errors. */
export interface Health {
  readonly status: "ok" | "degraded";
  readonly [detail: string]: string | number | boolean;
}

export interface MetricsListener {
  /** The port is the one that the kernel chose where the configuration says 0. */
  address(): { addr: string; port: number };
  close(): Promise<void>;
}

export interface MetricsListenerOptions {
  listen: MetricsListen;
  metrics: Pick<Metrics, "scrape" | "contentType">;
  health: () => Health;
  clock: Clock;
  /** Ends the attempts to bind. */
  signal: AbortSignal;
  log: Logger;
}

/** A client gets so long for its request, and an idle connection for its next one. */
const requestLimitMs = 10_000;
const headersLimitMs = 5_000;
/** A stop does not wait longer than this for answers that are under way. */
const closeLimitMs = 1_000;
/** Prometheus and a few people looking; whoever holds more connections is not one of them. */
const connectionLimit = 16;

/**
 * Serves /metrics and /healthz, and nothing else. An address that is taken, or not there yet, is tried
 * again as `startup_*` say. Throws an `OperatorError` when it stays that way.
 */
export async function startMetricsListener(options: MetricsListenerOptions): Promise<MetricsListener> {
  const { listen, clock, signal, log } = options;
  const began = clock.monotonic();
  for (let attempt = 0; ; attempt += 1) {
    const server = createMetricsServer(options);
    try {
      await bind(server, listen);
      server.on("error", (error) => log.warn({ error: describeError(error) }, "metrics listener failed"));
      log.info({ addr: listen.addr, port: portOf(server, listen) }, "metrics listener started");
      return {
        address: () => ({ addr: listen.addr, port: portOf(server, listen) }),
        close: () => close(server, clock),
      };
    } catch (error) {
      const mayPass = ["EADDRINUSE", "EADDRNOTAVAIL"].includes(systemErrorCode(error) ?? "");
      const inTime = clock.monotonic() - began + listen.startupRetryWaitMs <= listen.startupTimeoutMs;
      if (!mayPass || !inTime || attempt >= listen.startupRetryLimit) throw bindError(error, listen);
      log.warn({ addr: listen.addr, port: listen.port, attempt: attempt + 1 }, "metrics address is not free yet");
      if (!(await sleep(listen.startupRetryWaitMs, { signal, clock }))) throw bindError(error, listen);
    }
  }
}

function createMetricsServer(options: MetricsListenerOptions): Server {
  const server = createServer(
    {
      headersTimeout: headersLimitMs,
      requestTimeout: requestLimitMs,
      keepAliveTimeout: requestLimitMs,
      maxHeaderSize: 8192,
      // Node looks only every 30 s by default, which would make the limits above mean 30 s.
      connectionsCheckingInterval: headersLimitMs,
    },
    (request, response) => void answer(request, response, options),
  );
  server.maxHeadersCount = 64;
  server.maxConnections = connectionLimit;
  server.setTimeout(requestLimitMs);
  server.on("clientError", (_error, socket) => {
    // Not left half-open: sixteen clients that never close their side would keep everybody out.
    if (!socket.writable) socket.destroy();
    else
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () => socket.destroy());
  });
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { metrics, health, log }: MetricsListenerOptions,
): Promise<void> {
  try {
    const path = (request.url ?? "/").split("?", 1)[0];
    if (path !== "/metrics" && path !== "/healthz") return refuse(response, 404, "not found: try /metrics or /healthz");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return refuse(response, 405, "only GET and HEAD");
    }
    if (hasBody(request)) return refuse(response, 413, "no body expected");
    if (path === "/metrics") send(response, 200, metrics.contentType, await metrics.scrape());
    else send(response, 200, "application/json; charset=utf-8", [Buffer.from(`${JSON.stringify(health())}\n`)]);
  } catch (error) {
    log.error({ error: describeError(error), stack: coerceError(error).stack }, "metrics request failed");
    if (response.headersSent) response.destroy();
    else refuse(response, 500, "internal error");
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The connection is closed with it: whatever else the client sends is not read. */
function refuse(response: ServerResponse, status: number, message: string): void {
  response.setHeader("Connection", "close");
  send(response, status, "text/plain; charset=utf-8", [Buffer.from(`${message}\n`)]);
}

function send(response: ServerResponse, status: number, contentType: string, body: readonly Buffer[]): void {
  response.writeHead(status, {
    "Content-Type": contentType,
    "Content-Length": body.reduce((sum, { length }) => sum + length, 0),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
  });
  // Headers and pieces leave in one write.
  response.cork();
  for (const piece of body) response.write(piece);
  response.end();
}

function bind(server: Server, { addr, port }: MetricsListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: addr, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server, { port }: MetricsListen): number {
  return (server.address() as AddressInfo | null)?.port ?? port;
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(closeLimitMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

function bindError(error: unknown, { addr, port }: MetricsListen): OperatorError {
  const where = isIPv6(addr) ? `[${addr}]:${port}` : `${addr}:${port}`;
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return new OperatorError(`metrics.port: ${where} is in use by another program; choose another port, or end it`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new OperatorError(`metrics.addr: ${addr} is not an address of this host (metrics.port is ${port})`);
    case "EACCES":
      return new OperatorError(`metrics.port: no permission to listen on ${where}; ports below 1024 need root`);
    default:
      return new OperatorError(`metrics.port: cannot listen on ${where}: ${describeError(error)}`);
  }
}
