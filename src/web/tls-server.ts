import type { RequestListener } from "node:http";
import type { Server as TlsServer, ServerOptions as TlsServerOptions } from "node:https";
import { describeError, OperatorError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { WebListen } from "../config/web-listen.ts";
import { type Limits, serverOptions } from "./http-listener.ts";
import { fingerprint, readPrivateFile } from "./private-file.ts";
import { readWebConfig, type TlsFiles } from "./web-config-file.ts";

interface TlsAbout {
  readonly web: WebListen;
  readonly limits: Limits;
  readonly answer: RequestListener;
  readonly log: Logger;
}

/** Looks at its files for each connection, and uses the new ones from the one on that finds them changed. */
export async function createTlsServer(tls: TlsFiles, { web, limits, answer, log }: TlsAbout): Promise<TlsServer> {
  const { createServer } = await import("node:https");
  const server = startServer();
  const pathsOf = (files: TlsFiles) => [web.webConfigFile, files.certFile, files.keyFile, files.clientCaFile];
  const printOf = (files: TlsFiles) => fingerprint(pathsOf(files).flatMap((path) => path ?? []));
  let files = tls;
  let seen = printOf(files);
  server.prependListener("connection", () => {
    const now = printOf(files);
    if (now === seen) return;
    seen = now;
    try {
      const { tls: read } = readWebConfig(web.webConfigFile ?? "");
      if (read === undefined) throw new OperatorError("tls_server_config is gone");
      if ((read.clientCaFile === undefined) !== (tls.clientCaFile === undefined)) {
        throw new OperatorError("whether clients need certificates can only be changed by a new start");
      }
      server.setSecureContext(readTlsFiles(read));
      files = read;
      seen = printOf(files);
      log.info({}, "certificate and key were read again");
    } catch (error) {
      log.error({ error: describeError(error) }, "certificate and key cannot be read again: the old ones stay in use");
    }
  });
  return server;

  function startServer(): TlsServer {
    const settings = readTlsFiles(tls);
    try {
      return createServer({ ...serverOptions(limits), ...settings, handshakeTimeout: limits.headersMs }, answer);
    } catch (error) {
      const problem = `certificate and key cannot be used: ${describeError(error)}`;
      throw new OperatorError(`web.web_config_file: ${web.webConfigFile}: ${problem}`, { kind: "usage" });
    }
  }
}

function readTlsFiles({ certFile, keyFile, clientCaFile, minVersion, maxVersion }: TlsFiles): TlsServerOptions {
  const at = (key: string, forbidden: number) => ({ key: `web.web_config_file: ${key}`, forbidden });
  return {
    cert: readPrivateFile(certFile, at("cert_file", 0o022)),
    // A group that only reads is how some hosts share their certificates.
    key: readPrivateFile(keyFile, at("key_file", 0o037)),
    ...(clientCaFile === undefined
      ? {}
      : {
          ca: readPrivateFile(clientCaFile, at("client_ca_file", 0o022)),
          requestCert: true,
          rejectUnauthorized: true,
        }),
    minVersion,
    maxVersion,
  };
}
