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
    ...asOptions(options),
    ...(endpoint.identityFile === undefined ? [] : ["-i", endpoint.identityFile, "-o", "IdentitiesOnly=yes"]),
    ...(endpoint.port === undefined ? [] : ["-p", String(endpoint.port)]),
    ...(endpoint.jumpHost === undefined ? [] : ["-J", endpoint.jumpHost]),
  ];
}

/**
 * The same client, which goes through a master that listens at `socket` and connects by itself when that does not let
 * it. What multiplexing needs comes first: the operator's own options must not undo it.
 */
export function sshThroughMaster(endpoint: SshEndpoint, socket: string): [file: string, ...args: string[]] {
  const [file, ...args] = sshCommand(endpoint);
  return [file, ...throughSocket(socket), ...args];
}

/**
 * The master: it logs in, listens at `socket` and does nothing else until it is ended. What an ssh configuration may
 * have set up for people (forwardings, a command) is not for it.
 */
export function masterCommand(endpoint: SshEndpoint, socket: string): [file: string, ...args: string[]] {
  const [file, ...args] = sshCommand(endpoint);
  const options = [
    ...["ControlMaster=yes", `ControlPath=${configWord(socket)}`, "ControlPersist=no"],
    ...["ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none"],
  ];
  return [file, "-N", "-n", "-T", ...asOptions(options), ...args, "--", sshDestination(endpoint)];
}

/** Asks the master itself whether it is there. */
export function masterCheckCommand(endpoint: SshEndpoint, socket: string): [file: string, ...args: string[]] {
  return [...onlyThroughMaster(endpoint, socket), "-O", "check", "--", sshDestination(endpoint)];
}

/**
 * Makes the other side answer through the master: it is asked for a connection to a port where nobody listens, which it
 * refuses in one round trip, without a session, a shell or a forced command.
 */
export function masterProbeCommand(endpoint: SshEndpoint, socket: string): [file: string, ...args: string[]] {
  return [...onlyThroughMaster(endpoint, socket), "-n", "-W", "127.0.0.1:1", "--", sshDestination(endpoint)];
}

/**
 * Without a way of its own the client cannot connect past a master that does not answer. ssh refuses `-J` beside a
 * ProxyCommand; the master has gone through the jump host already.
 */
function onlyThroughMaster(endpoint: SshEndpoint, socket: string): [file: string, ...args: string[]] {
  const [file, ...args] = sshCommand({ ...endpoint, jumpHost: undefined });
  return [file, ...throughSocket(socket), "-o", "ProxyCommand=false", ...args];
}

function throughSocket(socket: string): string[] {
  return asOptions(["ControlMaster=no", `ControlPath=${configWord(socket)}`]);
}

function asOptions(options: readonly string[]): string[] {
  return options.flatMap((option) => ["-o", option]);
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
