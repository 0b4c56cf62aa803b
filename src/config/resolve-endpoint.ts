import type { LockFile, SshEndpoint } from "./resolved.ts";
import { parseDuration } from "../base/duration.ts";
import { bareAddress, expandHome, lockPath } from "./paths.ts";
import type { RawLockFile, RawOwnLockFile, RawSsh } from "./schema-endpoint.ts";

/** The keys of a job, lock file or block that say how to reach a host. */
export type EndpointKeys = Pick<RawLockFile, "user" | "host" | "port" | "private_ssh_key">;

export interface EndpointDefaults {
  /** The top-level `ssh`, overridden by the job's. */
  ssh: RawSsh;
  home: string;
}

/** Only lock files have these; a block is looked at wherever it lies. */
type AllowanceKeys = Partial<Pick<RawOwnLockFile, "allow_unsafe_directory" | "allow_network_filesystem">>;

const connectTimeoutMs = 20_000;
const shareIdleMs = 60_000;

/** The endpoint of a block that names a host itself. */
export function resolveEndpoint(host: string, keys: EndpointKeys, { ssh, home }: EndpointDefaults): SshEndpoint {
  const port = keys.port ?? ssh.port;
  const key = keys.private_ssh_key ?? ssh.private_ssh_key;
  return {
    host: bareAddress(host),
    user: keys.user ?? ssh.user,
    port: port === undefined ? undefined : Number(port),
    identityFile: key === undefined ? undefined : expandHome(key, home),
    knownHostsFile: ssh.known_hosts_file === undefined ? undefined : expandHome(ssh.known_hosts_file, home),
    hostKeyPolicy: ssh.host_key_policy ?? "strict",
    connectTimeoutMs:
      ssh.connect_timeout === undefined ? connectTimeoutMs : (parseDuration(ssh.connect_timeout) ?? connectTimeoutMs),
    jumpHost: ssh.jump_host,
    transport: ssh.transport ?? "auto",
    options: Object.fromEntries(Object.entries(ssh.options ?? {}).map(([name, value]) => [name, optionText(value)])),
    shareIdleMs: shareIdle(ssh),
  };
}

/** Whoever sets up multiplexing in the options has a master of their own in mind. */
function shareIdle({ share, share_idle: idle, options = {} }: RawSsh): number | undefined {
  if (share === false || Object.keys(options).some((name) => /^control(?:master|path|persist)$/i.test(name))) {
    return undefined;
  }
  return idle === undefined ? shareIdleMs : (parseDuration(idle) ?? shareIdleMs);
}

/**
 * A lock of a job. A remote lock on the job's own host (named or not) takes what it does not say from
 * the job; on another host it does not, for that host's port or account may well be different.
 */
export function resolveLock(
  lock: RawLockFile & AllowanceKeys,
  job: EndpointKeys,
  defaults: EndpointDefaults,
): LockFile {
  const path = lockPath(lock.path);
  const { peer, foreign_stale_after: staleAfter } = lock;
  const unsafeDirectory = lock.allow_unsafe_directory ?? false;
  const networkFileSystem = lock.allow_network_filesystem ?? false;
  const manners = {
    ...(peer === undefined ? {} : { peer }),
    ...(staleAfter === undefined ? {} : { foreignStaleAfterMs: parseDuration(staleAfter) }),
    ...(unsafeDirectory || networkFileSystem ? { allows: { unsafeDirectory, networkFileSystem } } : {}),
  };
  if (lock.type === "local") return { type: "local", path, ...manners };
  const host = lock.host ?? job.host ?? "";
  const keys = host === job.host ? { ...job, ...definedOf(lock) } : lock;
  return { type: "remote", path, endpoint: resolveEndpoint(host, keys, defaults), ...manners };
}

function definedOf(lock: RawLockFile): EndpointKeys {
  return Object.fromEntries(Object.entries(lock).filter(([, value]) => value !== undefined));
}

function optionText(value: string | number | boolean): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}
