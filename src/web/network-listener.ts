import type { FastifyInstance } from "fastify";
import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import type { Clock } from "../base/clock.ts";
import { describeError, OperatorError, systemErrorCode } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { isLoopback } from "../config/check-web.ts";
import type { WebListen } from "../config/web-listen.ts";
import { guardNetwork } from "./access.ts";
import { keepCredentials } from "./credentials.ts";
import type { DirectorControl } from "./director-control.ts";
import { createEventStreams } from "./event-stream.ts";
import { closeServer, createRequestListener, limitServer, type Limits, serverOptions } from "./http-listener.ts";
import { ownNames } from "./request-origin.ts";
import { createTlsServer } from "./tls-server.ts";

export type RegisterPage = (
  app: FastifyInstance,
  about: { readonly control: DirectorControl; readonly allowActions: boolean; readonly clock: Clock },
) => void | Promise<void>;

export interface NetworkListenerOptions {
  readonly control: DirectorControl;
  readonly web: WebListen;
  readonly registerPage?: RegisterPage | undefined;
  readonly version: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The page and the API on TCP. Throws an `OperatorError` when that cannot be, or would be open to strangers. */
export async function listenOnNetwork(options: NetworkListenerOptions) {
  const { control, web, registerPage, version, limits, clock, log } = options;
  const credentials = keepCredentials(web, log);
  const first = credentials();
  const secured = first !== undefined && (first.token !== undefined || first.web.users.size > 0);
  const tls = first?.web.tls;
  refuseOpen(web, { secured, tls: tls !== undefined });
  const allowActions = web.allowActions ?? secured;

  const streams = createEventStreams({ limit: limits.streams, admission: credentials, clock, log });
  const hosts = [...ownNames(web.addr), ...web.allowedHosts];
  const admit = guardNetwork({ hosts, credentials, tls: tls !== undefined, secured, allowActions, clock, log });
  const page = registerPage;
  const app = {
    ...{ control, clock, version },
    registerPage: page && ((instance: Parameters<RegisterPage>[0]) => page(instance, { control, allowActions, clock })),
  };
  const answer = createRequestListener({ admit, streams, app, log });
  const server =
    tls === undefined
      ? createServer(serverOptions(limits), answer)
      : await createTlsServer(tls, { web, limits, answer, log });
  limitServer(server, limits);
  await bind(server, web);
  server.on("error", (error) => log.warn({ error: describeError(error) }, "web listener failed"));
  const { port } = server.address() as AddressInfo;
  log.info({ addr: web.addr, port, tls: tls !== undefined, actions: allowActions }, "web listener started");
  return {
    address: { addr: web.addr, port, tls: tls !== undefined },
    close: () => closeServer(server, { streams, clock }),
  };
}

/** What the check of the configuration could not see, because it reads no other files. */
function refuseOpen({ addr, webConfigFile }: WebListen, is: { secured: boolean; tls: boolean }): void {
  if (isLoopback(addr) || (is.secured && is.tls)) return;
  const lacks = is.tls ? "neither a token (web.token_file) nor users (basic_auth_users)" : "no TLS (tls_server_config)";
  const problem = `web.addr: other hosts can reach ${addr}, and there is ${lacks}`;
  throw new OperatorError(`${problem}: see ${webConfigFile ?? "web.web_config_file"}, or listen on 127.0.0.1`, {
    kind: "usage",
  });
}

function bind(server: Server, { addr, port }: WebListen): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(bindError(error, { addr, port }));
    server.once("error", onError);
    server.listen({ host: addr.replace(/^\[(.*)\]$/, "$1"), port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function bindError(error: unknown, { addr, port }: Pick<WebListen, "addr" | "port">): OperatorError {
  const where = isIPv6(addr) ? `[${addr}]:${port}` : `${addr}:${port}`;
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return new OperatorError(`web.port: ${where} is in use by another program; choose another port, or end it`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new OperatorError(`web.addr: ${addr} is not an address of this host`);
    case "EACCES":
      return new OperatorError(`web.port: no permission to listen on ${where}; ports below 1024 need root`);
    default:
      return new OperatorError(`web.port: cannot listen on ${where}: ${describeError(error)}`);
  }
}
