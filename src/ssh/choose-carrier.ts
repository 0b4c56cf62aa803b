import { existsSync } from "node:fs";
import type { Identities } from "./identities.ts";
import type { HostKeys } from "./known-hosts.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** Whether this host knows a Kerberos realm; ssh's own configuration does not tell. */
export function hasKerberos(): boolean {
  return existsSync("/etc/krb5.conf");
}

/**
 * Why a host is reached with the OpenSSH client, or undefined: ssh2 will do. ssh2 is preferred, because it
 * shares one connection among all users of a host; what it cannot do is left to the real one.
 */
export function whyOpenssh(
  host: ResolvedHost,
  { identities, known, kerberos }: { identities: Identities; known: HostKeys; kerberos: boolean },
): string | undefined {
  if (host.proxy?.option === "ProxyCommand") return "a ProxyCommand leads there";
  if (host.certificateFiles.length > 0) return `CertificateFile ${host.certificateFiles[0]}`;
  if (host.pkcs11) return "a key on a PKCS#11 token";
  if (identities.beyond !== undefined) return identities.beyond;
  // Debian's ssh offers GSSAPI everywhere, also where nobody has ever heard of Kerberos.
  if (kerberos && host.gssapi && identities.methods.length === 0 && identities.passedOver.length === 0) {
    return "there is no key, but Kerberos";
  }
  const usable = known.keys.filter((key) => key.marker !== "revoked");
  if (usable.length > 0 && usable.every((key) => key.marker === "authority")) {
    return `the host key is certified (@cert-authority in ${usable[0]?.file})`;
  }
  return undefined;
}
