import type { SshEndpoint } from "../config/resolved.ts";

/**
 * The OpenSSH client with every option that an endpoint asks for, without user and host: rsync gets
 * this as its remote shell and adds those two itself, and `ssh -G` is asked with the same words, so
 * that locks and copies can never reach two different hosts.
 *
 * ssh keeps the first value it sees for an option: what must hold comes before the operator's own
 * options, what is only a default comes after them.
 */
export function sshCommand(endpoint: SshEndpoint): [file: string, ...args: string[]] {
  const options = [
    "BatchMode=yes",
    `ConnectTimeout=${Math.max(1, Math.ceil(endpoint.connectTimeoutMs / 1000))}`,
    `StrictHostKeyChecking=${endpoint.hostKeyPolicy === "strict" ? "yes" : "accept-new"}`,
    ...(endpoint.knownHostsFile === undefined ? [] : [`UserKnownHostsFile=${configWord(endpoint.knownHostsFile)}`]),
    ...Object.entries(endpoint.options).map(([name, value]) => `${name}=${value}`),
    "ServerAliveInterval=15",
    "ServerAliveCountMax=4",
  ];
  return [
    "ssh",
    ...options.flatMap((option) => ["-o", option]),
    ...(endpoint.identityFile === undefined ? [] : ["-i", endpoint.identityFile, "-o", "IdentitiesOnly=yes"]),
    ...(endpoint.port === undefined ? [] : ["-p", String(endpoint.port)]),
    ...(endpoint.jumpHost === undefined ? [] : ["-J", endpoint.jumpHost]),
  ];
}

/** `user@host`, or the host alone when the ssh configuration is to choose the user. */
export function sshDestination(endpoint: SshEndpoint): string {
  return endpoint.user === undefined ? endpoint.host : `${endpoint.user}@${endpoint.host}`;
}

/** A file name as a value of an ssh option: blanks need quotes, and `%` starts a token (ssh_config(5)). */
function configWord(path: string): string {
  const escaped = path.replaceAll("%", "%%").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /[\s"\\]/.test(path) ? `"${escaped}"` : escaped;
}
