import type { SshEndpoint } from "../config/resolved.ts";
import { hasKerberos, whyOpenssh } from "./choose-carrier.ts";
import type { ConnectionDeps, ConnectResult } from "./connection.ts";
import { loadIdentities } from "./identities.ts";
import { lookUpHostKeys } from "./known-hosts.ts";
import { openOpensshConnection } from "./openssh-connection.ts";
import type { ResolvedHost } from "./resolve-host.ts";
import { openSsh2Connection, type LoginPlan, type Ssh2Result } from "./ssh2-connection.ts";

/**
 * Connects and logs in, with ssh2 or with the OpenSSH client, directly or through jump hosts. Never
 * rejects; ends within the connect timeout plus 20 s for each hop.
 */
export async function openConnection(
  host: ResolvedHost,
  endpoint: SshEndpoint,
  deps: ConnectionDeps,
): Promise<ConnectResult> {
  const name = `${host.user}@${host.hostname}:${host.port}`;
  const [identities, known] = await Promise.all([loadIdentities(host), lookUpHostKeys(host, deps.runTool)]);
  const plan: LoginPlan = { name, host, endpoint, identities, known, deps };
  const reason = whyNotSsh2(plan);
  if (reason !== undefined) return openOpensshConnection(plan, reason);
  if (host.proxy?.option === "ProxyCommand") {
    const message = `${name} is reached by a ProxyCommand, which ssh2 cannot run: set transport to auto or openssh`;
    return { kind: "refused", message, contacted: false };
  }
  const result = await openDirectlyOrThroughGate(plan);
  if (result.kind !== "beyond") return result;
  if (endpoint.transport === "auto") return openOpensshConnection(plan, result.reason);
  return { kind: "refused", message: `cannot connect to ${name}: ${result.reason}`, contacted: false };
}

function whyNotSsh2({ host, endpoint, identities, known }: LoginPlan): string | undefined {
  if (endpoint.transport === "auto") return whyOpenssh(host, { identities, known, kerberos: hasKerberos() });
  return endpoint.transport === "openssh" ? "the configuration says so" : undefined;
}

async function openDirectlyOrThroughGate(plan: LoginPlan): Promise<Ssh2Result> {
  const { proxy } = plan.host;
  if (proxy === undefined) return openSsh2Connection(plan, undefined);
  let beyond: Ssh2Result | undefined;
  const result = await plan.deps.throughGate(proxy.value, async (gate): Promise<ConnectResult> => {
    if (gate.carrier.name === "openssh") {
      beyond = { kind: "beyond", reason: `jump host ${gate.name}: ${gate.carrier.reason}` };
    } else {
      const opened = await openSsh2Connection(plan, gate);
      if (opened.kind !== "beyond") return opened;
      beyond = opened;
    }
    return { kind: "unreachable", message: "ssh2 cannot" };
  });
  return beyond ?? result;
}
