import type { IncomingMessage } from "node:http";
import { hostname } from "node:os";

/** Why a request is refused before anybody looks at what it wants. */
export interface Refused {
  readonly status: 400 | 401 | 403 | 415 | 429 | 503;
  readonly error: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Whether the Host header names this listener. A page of a stranger whose name was made to point at this address
 * (DNS rebinding) carries the stranger's name. Addresses cannot be bent: the one at which the request arrived is right.
 */
export function isAllowedHost(request: IncomingMessage, allowed: readonly string[]): boolean {
  const given = request.headers.host?.toLowerCase();
  if (given === undefined) return false;
  const [, name = "", port] = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(given) ?? [];
  if (name === "") return false;
  const address = request.socket.localAddress?.replace(/^::ffff:/, "") ?? "";
  if (name.replace(/^\[(.*)\]$/, "$1") === address) return true;
  return allowed.some((entry) => {
    const [, entryName, entryPort] = /^(\[.*\]|[^:]*)(?::0*(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    return name === entryName && (entryPort === undefined || entryPort === port);
  });
}

/** The names that are always right, for any port: a tunnel gives another one. */
export function ownNames(addr: string): string[] {
  const name = hostname().toLowerCase();
  const bare = addr.includes(":") && !addr.startsWith("[") ? `[${addr}]` : addr;
  return ["localhost", "127.0.0.1", "[::1]", bare, name, name.split(".", 1)[0] ?? name];
}

/**
 * Whether another site's page sent this. Browsers say so in Sec-Fetch-Site and, where something is to be done, in
 * Origin; other programs send neither. Following a link to the page is no harm.
 */
export function refuseForeign(request: IncomingMessage, { tls }: { tls: boolean }): Refused | undefined {
  const { headers, method } = request;
  const reads = method === "GET" || method === "HEAD";
  const site = headers["sec-fetch-site"];
  const navigates = reads && headers["sec-fetch-mode"] === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !navigates) {
    return { status: 403, error: "requests of other sites are refused" };
  }
  const { origin, host = "" } = headers;
  if (reads || origin === undefined) return undefined;
  return isSameOrigin(origin, host, tls) ? undefined : { status: 403, error: "the Origin is not this listener" };
}

function isSameOrigin(origin: string, host: string, tls: boolean): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  // Without TLS here a proxy may have it in front.
  if (protocol !== "https:" && (tls || protocol !== "http:")) return false;
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === originHost;
}

/** A form of a foreign page can be posted without asking, but never with this type. */
export function refuseContentType({ method, headers }: IncomingMessage): Refused | undefined {
  if (method === "GET" || method === "HEAD") return undefined;
  if (/^application\/json *(?:;|$)/i.test(headers["content-type"] ?? "")) return undefined;
  return { status: 415, error: "the Content-Type must be application/json" };
}
