import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { AccessRule } from "./access.ts";
import type { AppOptions } from "./build-app.ts";
import type { EventStreams } from "./event-stream.ts";

export interface Limits {
  readonly connections: number;
  /** Streams of events at a time; fewer than connections, so that there is room for others. */
  readonly streams: number;
  /** A client gets so long for its headers, and for its whole request; milliseconds. */
  readonly headersMs: number;
  readonly requestMs: number;
}

/** How often Node looks for requests that take too long: not seldom, or the limits would mean that. */
const longestCheckMs = 5_000;
/** A stop does not wait longer than this for answers that are under way. */
const closeLimitMs = 1_000;

/** Overridden by the page for what it needs. */
const securityHeaders = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
} as const;

export function serverOptions({ headersMs, requestMs }: Limits): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: requestMs,
    connectionsCheckingInterval: Math.min(longestCheckMs, headersMs),
    maxHeaderSize: 16 * 1024,
  };
}

/** What every listener does with its connections. */
export function limitServer(server: Server, { connections }: Limits): void {
  server.maxHeadersCount = 64;
  server.maxConnections = connections;
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    if (!socket.writable) return void socket.destroy();
    const status = statusOf(error.code);
    const head = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
    socket.end(head, () => socket.destroy());
  });
}

function statusOf(code: string | undefined): string {
  if (code === "HPE_HEADER_OVERFLOW") return "431 Request Header Fields Too Large";
  return code === "ERR_HTTP_REQUEST_TIMEOUT" ? "408 Request Timeout" : "400 Bad Request";
}

export interface RequestHandling {
  readonly admit: AccessRule;
  readonly streams: EventStreams;
  readonly app: Omit<AppOptions, "streams" | "askerOf" | "log">;
  readonly log: Logger;
}

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Judges each request, and gives those that are admitted to the application, which is loaded for the first of them:
 * most directors are asked seldom, and it would cost all of them 70 ms and 15 MB.
 */
export function createRequestListener({ admit, streams, app, log }: RequestHandling): RequestListener {
  const askers = new WeakMap<IncomingMessage, string>();
  const askerOf = (request: IncomingMessage) => askers.get(request) ?? "somebody";
  let loading: Promise<Route> | undefined;
  const load = () => (loading ??= loadApp({ ...app, streams, askerOf, log }));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    // The other forms are for proxies, and their host would not be the one that was looked at.
    if (request.url?.startsWith("/") !== true) return refuse(response, 400, { error: "the request is not understood" });
    const verdict = await admit(request);
    if (verdict.kind === "refused") {
      log.debug({ method: request.method, path: request.url, error: verdict.error }, "request refused");
      return refuse(response, verdict.status, { error: verdict.error }, verdict.headers);
    }
    askers.set(request, verdict.by);
    (await load())(request, response);
  }

  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      loading = undefined;
      log.error({ error: describeError(error) }, "request failed");
      if (response.headersSent) response.destroy();
      else refuse(response, 500, { error: "internal error: see the log of the director" });
    });
  };
}

async function loadApp(options: AppOptions): Promise<Route> {
  const { buildApp } = await import("./build-app.ts");
  const app = await buildApp(options);
  return (request, response) => app.routing(request, response);
}

/** The connection is closed with it: whatever else the client sends is not read. */
function refuse(
  response: ServerResponse,
  status: number,
  body: { error: string },
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
    Connection: "close",
    ...headers,
  });
  response.end(text);
}

/** Ends the streams at once, the rest within a second. */
export function closeServer(
  server: Server,
  { streams, clock }: { streams: EventStreams; clock: Clock },
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(closeLimitMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    streams.close();
    server.closeIdleConnections();
  });
}
