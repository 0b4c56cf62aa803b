import type { RunTool } from "../../base/tool-runner.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import { hasKerberos } from "../../ssh/choose-carrier.ts";
import { loadIdentities } from "../../ssh/identities.ts";
import { lookUpHostKeys } from "../../ssh/known-hosts.ts";
import type { ResolvedHost } from "../../ssh/resolve-host.ts";
import { ok, problem, warning, type Finding } from "./doctor-findings.ts";

/** What can be said about a login before it is tried: the files on this side. */
export async function examineLogin(host: ResolvedHost, endpoint: SshEndpoint, runTool: RunTool): Promise<Finding[]> {
  const [keys, hostKey] = await Promise.all([examineKeys(host, endpoint), examineHostKey(host, endpoint, runTool)]);
  return [hostKey, ...keys];
}

async function examineHostKey(host: ResolvedHost, endpoint: SshEndpoint, runTool: RunTool): Promise<Finding> {
  const known = await lookUpHostKeys(host, runTool);
  const usable = known.keys.filter(({ marker }) => marker !== "revoked");
  const trusted = usable.filter(({ marker }) => marker === "trusted");
  const [first] = usable;
  const file = known.files[0] ?? "~/.ssh/known_hosts";
  if (first !== undefined) {
    const kinds = [...new Set(trusted.map(({ type }) => type))].join(", ") || "by its certificate authority";
    return ok("host key", `known: ${kinds} (${first.file} line ${first.line})`);
  }
  if (endpoint.hostKeyPolicy === "accept-new") {
    return warning("host key", `${known.name} is not known; the first one presented will be trusted (accept-new)`);
  }
  const port = host.port === 22 ? "" : `-p ${host.port} `;
  const remedy = `ssh-keyscan ${port}${host.hostname} >> ${file}`;
  // Only the jump host can see a host behind it.
  const behind = host.proxy === undefined ? remedy : `connect once with ssh and compare the fingerprint`;
  return problem("host key", `${known.name} is not in ${file}; compare the fingerprint of what you add there`, behind);
}

async function examineKeys(host: ResolvedHost, endpoint: SshEndpoint): Promise<Finding[]> {
  const identities = await loadIdentities(host);
  const unusable = identities.passedOver.map((message) => {
    const command = /: (chmod .*)$/.exec(message)?.[1];
    const matters = endpoint.identityFile !== undefined || identities.methods.length === 0;
    const serious = matters && identities.beyond === undefined;
    return serious ? problem("key", message, command) : warning("key", message, command);
  });
  if (unusable.length > 0) return unusable;
  if (identities.beyond !== undefined) return [ok("key", `${identities.beyond}: left to the ssh client`)];
  if (identities.methods.length > 0) {
    const count = identities.methods.length;
    return [
      ok("key", endpoint.identityFile ?? `${count} ${count === 1 ? "key" : "keys"} of the ssh configuration or agent`),
    ];
  }
  const wanted = endpoint.identityFile;
  if (host.gssapi && hasKerberos() && wanted === undefined)
    return [warning("key", "there is none; only Kerberos could log in")];
  const file = wanted ?? "~/.ssh/id_ed25519";
  const account = `${host.user}@${host.hostname}`;
  return [
    problem(
      "key",
      wanted === undefined ? "there is no private key" : `${wanted} does not exist`,
      `ssh-keygen -t ed25519 -N '' -f ${file} && ssh-copy-id -i ${file}.pub -p ${host.port} ${account}`,
    ),
  ];
}
