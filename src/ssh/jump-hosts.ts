import type { SshEndpoint } from "../config/resolved.ts";

/**
 * The last hop of a ProxyJump value as an endpoint of its own: the hops before it are its own jump hosts.
 * As with `ssh -J`, keys, host keys and the rest come from the ssh configuration for that host, not from
 * the endpoint behind it. Undefined when the value makes no sense.
 */
export function lastHop(proxyJump: string, behind: SshEndpoint): SshEndpoint | undefined {
  const comma = proxyJump.lastIndexOf(",");
  const before = comma === -1 ? undefined : proxyJump.slice(0, comma);
  const hop = /^(?:ssh:\/\/)?(?:(.*)@)?(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?\/?$/.exec(proxyJump.slice(comma + 1));
  const [, user, host, port] = hop ?? [];
  if (host === undefined) return undefined;
  return {
    host: host.replace(/^\[(.*)\]$/, "$1"),
    user,
    port: port === undefined ? undefined : Number(port),
    identityFile: undefined,
    knownHostsFile: undefined,
    hostKeyPolicy: "strict",
    connectTimeoutMs: behind.connectTimeoutMs,
    jumpHost: before,
    transport: behind.transport,
    options: {},
  };
}
