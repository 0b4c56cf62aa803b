import { isIPv4, isIPv6 } from "node:net";
import type { ProblemLog } from "./problem-log.ts";
import type { RawWeb } from "./schema-web.ts";
import { isRecord, type Tree } from "./tree.ts";

/**
 * What can be told of the listener without reading its files. Whether `web_config_file` really has TLS and users is
 * looked at when the listener starts.
 */
export function checkWeb(root: Tree, log: ProblemLog): void {
  if (!isRecord(root["web"]) || !log.isSound(["web"])) return;
  const web = root["web"] as unknown as RawWeb;
  const { addr = "127.0.0.1", web_config_file: webConfigFile, token_file: tokenFile } = web;
  if (!isLoopback(addr) && webConfigFile === undefined) {
    log.error(
      ["web", "addr"],
      `other hosts can reach ${addr}, where requests need TLS and a token or users: give web_config_file (tls_server_config, basic_auth_users), or listen on 127.0.0.1 and let a reverse proxy do that`,
    );
  }
  if (web.allow_actions === true && tokenFile === undefined && webConfigFile === undefined) {
    log.warning(
      ["web", "allow_actions"],
      "every user of this host can run and cancel jobs: give token_file to let in only who knows the token",
    );
  }
}

/** Only processes of this host reach such an address. A name other than localhost may mean anything. */
export function isLoopback(addr: string): boolean {
  const bare = addr.replace(/^\[(.*)\]$/, "$1");
  if (isIPv4(bare)) return bare.startsWith("127.");
  return isIPv6(bare) ? bare === "::1" : bare.toLowerCase() === "localhost";
}
