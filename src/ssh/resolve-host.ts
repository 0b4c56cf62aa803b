import { homedir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { sshCommand, sshDestination } from "./ssh-arguments.ts";

/** Where an endpoint leads once OpenSSH's own configuration files have been heard. */
export interface ResolvedHost {
  /** As the operator wrote it; for messages. */
  readonly givenHost: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly addressFamily: 0 | 4 | 6;
  /** Name under which the host key is filed, when that is not the host's own. */
  readonly hostKeyAlias: string | undefined;
  readonly hashKnownHosts: boolean;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  /** In the order in which OpenSSH would try them; they need not exist. */
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Socket of the agent, if one is to be asked. */
  readonly agentSocket: string | undefined;
  readonly certificateFiles: readonly string[];
  /** OpenSSH may log in by Kerberos, or with a key on a PKCS#11 token. */
  readonly gssapi: boolean;
  readonly pkcs11: boolean;
  /** How to get there when it is not a plain TCP connection. */
  readonly proxy: { readonly option: "ProxyJump" | "ProxyCommand"; readonly value: string } | undefined;
}

export type HostResolution =
  { readonly kind: "resolved"; readonly host: ResolvedHost } | { readonly kind: "failed"; readonly message: string };

export interface HostResolver {
  /** Asks `ssh -G`; answers come from a cache for ten minutes. Never rejects. */
  resolve(endpoint: SshEndpoint): Promise<HostResolution>;
  /** Forgets an endpoint: a connection to it failed, so the configuration may have changed. */
  forget(endpoint: SshEndpoint): void;
}

const cacheMs = 600_000;

export function createHostResolver(deps: {
  runTool: RunTool;
  clock: Clock;
  env?: Readonly<Record<string, string | undefined>>;
}): HostResolver {
  const cache = new Map<string, { until: number; answer: Promise<HostResolution> }>();
  return {
    async resolve(endpoint) {
      const key = JSON.stringify(endpoint);
      const cached = cache.get(key);
      if (cached !== undefined && deps.clock.monotonic() < cached.until) return cached.answer;
      const answer = askSsh(endpoint, deps);
      cache.set(key, { until: deps.clock.monotonic() + cacheMs, answer });
      if ((await answer).kind === "failed") cache.delete(key);
      return answer;
    },
    forget: (endpoint) => void cache.delete(JSON.stringify(endpoint)),
  };
}

async function askSsh(
  endpoint: SshEndpoint,
  deps: { runTool: RunTool; env?: Readonly<Record<string, string | undefined>> },
): Promise<HostResolution> {
  const [file, ...args] = sshCommand(endpoint);
  const result = await deps.runTool([file, "-G", ...args, "--", sshDestination(endpoint)], { timeoutMs: 10_000 });
  if (result.exitCode !== 0) {
    const said = result.stderr.trim().split("\n").at(-1) ?? "";
    const message = result.exitCode === null ? "it could not be run" : said || `exit code ${result.exitCode}`;
    return { kind: "failed", message: `ssh -G ${sshDestination(endpoint)}: ${message}` };
  }
  return { kind: "resolved", host: readSshConfiguration(result.stdout, endpoint, deps.env ?? process.env) };
}

/** Reads what `ssh -G` prints: one `name value` per line, some names more than once. */
export function readSshConfiguration(
  text: string,
  endpoint: SshEndpoint,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedHost {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 1) continue;
    const name = line.slice(0, space);
    values.set(name, [...(values.get(name) ?? []), line.slice(space + 1)]);
  }
  const first = (name: string) => {
    const value = values.get(name)?.[0];
    return value === undefined || value === "none" ? undefined : value;
  };
  const files = (name: string) => (first(name)?.split(" ") ?? []).filter(Boolean).map((path) => expandHome(path, env));
  const family = first("addressfamily");
  const user = first("user") ?? endpoint.user ?? "";
  const keyFiles = (name: string) =>
    (values.get(name) ?? [])
      .filter((path) => path !== "none")
      .map((path) => expandTokens(expandHome(path, env), endpoint, user, env));
  return {
    givenHost: endpoint.host,
    hostname: first("hostname") ?? endpoint.host,
    port: Number(first("port") ?? endpoint.port ?? 22),
    user,
    addressFamily: family === "inet" ? 4 : family === "inet6" ? 6 : 0,
    hostKeyAlias: first("hostkeyalias"),
    hashKnownHosts: first("hashknownhosts") === "yes",
    // ssh prints the list without quotes: a name with a blank is only safe to take from our own setting.
    userKnownHostsFiles:
      endpoint.knownHostsFile === undefined ? files("userknownhostsfile") : [expandHome(endpoint.knownHostsFile, env)],
    globalKnownHostsFiles: files("globalknownhostsfile"),
    identityFiles: keyFiles("identityfile"),
    certificateFiles: keyFiles("certificatefile"),
    gssapi: first("gssapiauthentication") === "yes",
    pkcs11: first("pkcs11provider") !== undefined,
    identitiesOnly: first("identitiesonly") === "yes",
    agentSocket: agentSocket(values.get("identityagent")?.[0], env),
    proxy: proxyOf(first("proxyjump"), first("proxycommand")),
  };
}

function proxyOf(jump: string | undefined, command: string | undefined): ResolvedHost["proxy"] {
  if (jump !== undefined) return { option: "ProxyJump", value: jump };
  return command === undefined ? undefined : { option: "ProxyCommand", value: command };
}

function agentSocket(setting: string | undefined, env: Readonly<Record<string, string | undefined>>) {
  if (setting === "none") return undefined;
  if (setting === undefined || setting === "SSH_AUTH_SOCK") return env["SSH_AUTH_SOCK"] || undefined;
  if (setting.startsWith("$")) return env[setting.replace(/^\$\{?|\}$/g, "")] || undefined;
  return expandHome(setting, env);
}

function expandHome(path: string, env: Readonly<Record<string, string | undefined>>): string {
  return path.startsWith("~/") ? join(env["HOME"] || homedir(), path.slice(2)) : path;
}

/** The tokens of ssh_config(5) that people use in IdentityFile; `ssh -G` prints them unexpanded. */
function expandTokens(
  path: string,
  endpoint: SshEndpoint,
  user: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const tokens: Record<string, string> = {
    "%%": "%",
    "%d": env["HOME"] || homedir(),
    "%h": endpoint.host,
    "%n": endpoint.host,
    "%r": user,
  };
  return path.replace(/%[%dhnr]/g, (token) => tokens[token] ?? token);
}
