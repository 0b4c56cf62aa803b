import type { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { createLoginCheck } from "./check-login.ts";
import type { Credentials } from "./credentials.ts";
import { createLoginLimit } from "./login-limit.ts";
import { isAllowedHost, type Refused, refuseContentType, refuseForeign } from "./request-origin.ts";

export type Verdict = { readonly kind: "admitted"; readonly by: string } | ({ readonly kind: "refused" } & Refused);

/** Decides over every request before anything else of it is read. */
export type AccessRule = (request: IncomingMessage) => Promise<Verdict>;

/** Who may open the socket is its owner or root; what is to be done still has to be said as JSON. */
export function allowOwner(): AccessRule {
  return (request) => {
    const refused = refuseContentType(request);
    if (refused !== undefined) return Promise.resolve({ kind: "refused", ...refused });
    const said = request.headers["x-requested-by"];
    const by = typeof said === "string" && /^[\w.@-]{1,64}$/.test(said) ? said : "the command line";
    return Promise.resolve({ kind: "admitted", by });
  };
}

export interface NetworkAccessOptions {
  readonly hosts: readonly string[];
  readonly credentials: () => Credentials | undefined;
  readonly tls: boolean;
  /** There was a token, or users, when it started: then there is never nothing. */
  readonly secured: boolean;
  readonly allowActions: boolean;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Logger;
}

/** The order is from what any client gets wrong to what only an admitted one may: a stranger learns nothing. */
export function guardNetwork(options: NetworkAccessOptions): AccessRule {
  const { hosts, credentials, tls, secured, allowActions, clock, log } = options;
  const checkLogin = createLoginCheck();
  const limit = createLoginLimit(clock);

  async function refuseLogin(request: IncomingMessage): Promise<Refused | string> {
    const wanted = credentials();
    const isOpen = wanted !== undefined && wanted.token === undefined && wanted.web.users.size === 0;
    if (wanted === undefined || (isOpen && secured)) {
      return { status: 503, error: "token and users cannot be read: see the log" };
    }
    const address = request.socket.remoteAddress ?? "";
    const { authorization } = request.headers;
    const wait = authorization === undefined ? 0 : limit.waitSeconds(address);
    if (wait > 0) {
      return { status: 429, error: "too many wrong logins: wait", headers: { "Retry-After": String(wait) } };
    }
    const login = await checkLogin(authorization, wanted);
    if (login.kind === "in") return login.by;
    if (login.kind === "busy") {
      return { status: 429, error: "too many logins at once: try again", headers: { "Retry-After": "1" } };
    }
    if (login.kind === "wrong") {
      limit.failed(address);
      log.warn({ address }, "wrong login");
    }
    const error = login.kind === "none" ? "a token or a user is needed" : "the token or password is wrong";
    const challenge = 'Basic realm="rsyncdirector", charset="UTF-8"';
    return { status: 401, error, headers: { "WWW-Authenticate": challenge } };
  }

  return async (request) => {
    const refuse = (refused: Refused): Verdict => ({ kind: "refused", ...refused });
    if (!isAllowedHost(request, hosts)) {
      return refuse({ status: 403, error: "this Host is not known here: see web.allowed_hosts" });
    }
    const foreign = refuseForeign(request, { tls });
    if (foreign !== undefined) return refuse(foreign);
    const login = await refuseLogin(request);
    if (typeof login !== "string") return refuse(login);
    const reads = request.method === "GET" || request.method === "HEAD";
    if (!reads && !allowActions) {
      return refuse({ status: 403, error: "nothing can be done here, only looked at: see web.allow_actions" });
    }
    const contentType = refuseContentType(request);
    return contentType === undefined ? { kind: "admitted", by: login } : refuse(contentType);
  };
}
