import { readFile, stat } from "node:fs/promises";
import type { AuthMethod } from "ssh2";
import { describeError, systemErrorCode } from "../base/errors.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** What to log in with, in the order of trying. */
export interface Identities {
  readonly methods: readonly AuthMethod[];
  /** Why files that exist are not among the methods; told when the login fails. */
  readonly passedOver: readonly string[];
}

/** sshd ends a connection at the sixth failed try; one is kept in reserve. */
const mostTries = 5;

/**
 * Reads the private keys that OpenSSH would use for this host. A key that others may read is passed
 * over, as ssh does; so is one with a passphrase, because nobody is there to type it.
 */
export async function loadIdentities(host: ResolvedHost): Promise<Identities> {
  const methods: AuthMethod[] = [];
  const passedOver: string[] = [];
  for (const file of new Set(host.identityFiles)) {
    const identity = await loadIdentity(file);
    if (identity.kind === "usable")
      methods.push({ type: "publickey", username: host.user, key: identity.key } as never);
    else if (identity.kind === "unusable") passedOver.push(identity.message);
  }
  if (host.agentSocket !== undefined && !host.identitiesOnly) {
    methods.unshift({ type: "agent", username: host.user, agent: host.agentSocket } as never);
  }
  return { methods: methods.slice(0, mostTries), passedOver };
}

type LoadedIdentity =
  | { readonly kind: "usable"; readonly key: unknown }
  | { readonly kind: "unusable"; readonly message: string }
  | { readonly kind: "missing" };

async function loadIdentity(file: string): Promise<LoadedIdentity> {
  let text: Buffer;
  try {
    const { mode, uid } = await stat(file);
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
      const bits = (mode & 0o777).toString(8).padStart(4, "0");
      return unusable(`${file} may be read by others (mode ${bits}), so ssh refuses it too: chmod 600 '${file}'`);
    }
    text = await readFile(file);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { kind: "missing" };
    return unusable(`${file} cannot be read: ${describeError(error)}`);
  }
  const { default: ssh2 } = await import("ssh2");
  const parsed: unknown = ssh2.utils.parseKey(text);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    return unusable(
      /passphrase/i.test(key.message)
        ? `${file} is protected by a passphrase, which nobody is there to type: use a key without one, or an agent`
        : `${file} cannot be used for lock connections in this version: ${key.message}`,
    );
  }
  return { kind: "usable", key };
}

function unusable(message: string): LoadedIdentity {
  return { kind: "unusable", message };
}
