import { readFile, stat } from "node:fs/promises";
import type { AuthMethod } from "ssh2";
import { describeError, systemErrorCode } from "../base/errors.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** What to log in with, in the order of trying. */
export interface Identities {
  readonly methods: readonly AuthMethod[];
  /** Why files that exist are not among the methods; told when the login fails. */
  readonly passedOver: readonly string[];
  /** What the OpenSSH client could do with the files and ssh2 cannot, in words; undefined: nothing. */
  readonly beyond: string | undefined;
}

/** A failed login, with what may be wrong with the keys. */
export function explainLogin(message: string, { passedOver }: Identities): string {
  return [message, ...passedOver].join("; ");
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
  let beyond: string | undefined;
  for (const file of new Set(host.identityFiles)) {
    const identity = await loadIdentity(file);
    if (identity.kind === "missing") continue;
    if (identity.kind === "usable") {
      methods.push({ type: "publickey", username: host.user, key: identity.key } as never);
    } else passedOver.push(identity.message);
    beyond ??= await whatIsBeyond(file, identity, host);
  }
  if (host.agentSocket !== undefined && !host.identitiesOnly) {
    methods.unshift({ type: "agent", username: host.user, agent: host.agentSocket } as never);
  }
  return { methods: methods.slice(0, mostTries), passedOver, beyond };
}

/** OpenSSH presents the certificate beside a key, reads kinds of keys that ssh2 does not, and finds a key's half in the agent. */
async function whatIsBeyond(file: string, identity: LoadedIdentity, host: ResolvedHost): Promise<string | undefined> {
  if (identity.kind === "unusable" && identity.because === "format") return `ssh2 cannot read ${file}`;
  const locked = identity.kind === "unusable" && identity.because === "passphrase";
  // Without IdentitiesOnly ssh2 asks the agent itself.
  if (locked && host.agentSocket !== undefined && host.identitiesOnly)
    return `${file} is locked, but the agent may have it`;
  const certificate = `${file}-cert.pub`;
  return (await isFile(certificate)) ? `${certificate} is a certificate` : undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

type LoadedIdentity =
  | { readonly kind: "usable"; readonly key: unknown }
  | { readonly kind: "unusable"; readonly because: "access" | "passphrase" | "format"; readonly message: string }
  | { readonly kind: "missing" };

async function loadIdentity(file: string): Promise<LoadedIdentity> {
  let text: Buffer;
  try {
    const { mode, uid } = await stat(file);
    if (uid === process.getuid?.() && (mode & 0o077) !== 0) {
      const bits = (mode & 0o777).toString(8).padStart(4, "0");
      return unusable(
        "access",
        `${file} may be read by others (mode ${bits}), so ssh refuses it too: chmod 600 '${file}'`,
      );
    }
    text = await readFile(file);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { kind: "missing" };
    return unusable("access", `${file} cannot be read: ${describeError(error)}`);
  }
  const { default: ssh2 } = await import("ssh2");
  const parsed: unknown = ssh2.utils.parseKey(text);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error) {
    return /passphrase/i.test(key.message)
      ? unusable(
          "passphrase",
          `${file} is protected by a passphrase, which nobody is there to type: use a key without one, or an agent`,
        )
      : unusable("format", `${file} cannot be used: ${key.message}`);
  }
  // A public key in place of the private one: its other half is in the agent.
  if ((key as { isPrivateKey?: () => boolean }).isPrivateKey?.() === false) {
    return unusable("format", `${file} is not a private key`);
  }
  return { kind: "usable", key };
}

function unusable(because: "access" | "passphrase" | "format", message: string): LoadedIdentity {
  return { kind: "unusable", because, message };
}
