import { createHmac, randomBytes } from "node:crypto";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { RunTool } from "../base/tool-runner.ts";
import type { ResolvedHost } from "./resolve-host.ts";

/** One line of a known_hosts file that speaks about a host. */
export interface KnownKey {
  readonly marker: "trusted" | "revoked" | "authority";
  /** `ssh-ed25519`, `ssh-rsa`, … */
  readonly type: string;
  readonly base64: string;
  readonly file: string;
  readonly line: number;
}

/** What the known_hosts files say about one host. */
export interface HostKeys {
  /** The name the keys are filed under, `[host]:port` for ports other than 22. */
  readonly name: string;
  readonly keys: readonly KnownKey[];
  /** The keys were filed under the bare name, without the port. */
  readonly withoutPort: boolean;
  readonly files: readonly string[];
}

export type HostKeyVerdict =
  { readonly kind: "trusted" } | { readonly kind: "new" } | { readonly kind: "refused"; readonly message: string };

/**
 * Collects a host's keys as OpenSSH would: under `[host]:port` first and then, when there are none,
 * under the bare name. `ssh-keygen -F` reads the files because it knows hashed names, wildcards and
 * negations. A file that cannot be read counts as empty, as it does for ssh.
 */
export async function lookUpHostKeys(host: ResolvedHost, runTool: RunTool): Promise<HostKeys> {
  const files = [...host.userKnownHostsFiles, ...host.globalKnownHostsFiles];
  const names =
    host.hostKeyAlias !== undefined
      ? [host.hostKeyAlias]
      : host.port === 22
        ? [host.hostname]
        : [`[${host.hostname}]:${host.port}`, host.hostname];
  const name = names[0] as string;
  let revoked: KnownKey[] = [];
  for (const candidate of names) {
    const keys = (await Promise.all(files.map((file) => lookUpInFile(candidate, file, runTool)))).flat();
    revoked = [...revoked, ...keys.filter((key) => key.marker === "revoked")];
    const others = keys.filter((key) => key.marker !== "revoked");
    if (others.length > 0) return { name, files, withoutPort: candidate !== name, keys: [...revoked, ...others] };
  }
  return { name, files, withoutPort: false, keys: revoked };
}

async function lookUpInFile(name: string, file: string, runTool: RunTool): Promise<KnownKey[]> {
  const { stdout } = await runTool(["ssh-keygen", "-F", name, "-f", file], { timeoutMs: 10_000 });
  return readFoundKeys(stdout, file);
}

/** Reads the output of `ssh-keygen -F`: a comment that names the line, then the line itself. */
export function readFoundKeys(text: string, file: string): KnownKey[] {
  const keys: KnownKey[] = [];
  let line = 0;
  for (const row of text.split("\n")) {
    const comment = /^# Host .* found: line (\d+)/.exec(row);
    if (comment !== null) line = Number(comment[1]);
    if (row.startsWith("#")) continue;
    const words = row.trim().split(/\s+/);
    const marker = words[0] === "@revoked" ? "revoked" : words[0] === "@cert-authority" ? "authority" : "trusted";
    const [, type, base64] = marker === "trusted" ? words : words.slice(1);
    if (type !== undefined && base64 !== undefined) keys.push({ marker, type, base64, file, line });
  }
  return keys;
}

/**
 * The host key algorithms to offer, so that the server presents a key that can be compared: ssh2
 * prefers ed25519, and a host known by its RSA key alone would look like an impostor. Undefined: no
 * key is on file, any will do. Host certificates are beyond ssh2 and never asked for.
 */
export function hostKeyAlgorithms(known: HostKeys): string[] | undefined {
  const types = new Set(known.keys.filter((key) => key.marker === "trusted").map((key) => key.type));
  if (types.size === 0) return undefined;
  return [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
  ].filter((algorithm) => types.has(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm));
}

/** Decides about the key a server presented. */
export function judgeHostKey(known: HostKeys, presented: Buffer, policy: "strict" | "accept-new"): HostKeyVerdict {
  const base64 = presented.toString("base64");
  const matching = known.keys.filter((key) => key.base64 === base64);
  const revoked = matching.find((key) => key.marker === "revoked");
  if (revoked !== undefined) {
    return refused(`the host key is marked @revoked in ${revoked.file} line ${revoked.line}`);
  }
  if (matching.some((key) => key.marker === "trusted")) return { kind: "trusted" };
  const trusted = known.keys.filter((key) => key.marker === "trusted");
  const other = trusted[0];
  if (other !== undefined && !known.withoutPort) {
    return refused(
      `the host key of ${known.name} has CHANGED: ${other.file} line ${other.line} has another one. Either the host was ` +
        `set up anew or somebody is in between. If the change is known, remove the old key with: ` +
        `ssh-keygen -f ${other.file} -R '${known.name}'`,
    );
  }
  if (trusted.length === 0 && known.keys.some((key) => key.marker === "authority")) {
    return refused(
      `${known.name} is known by a @cert-authority line only, which ssh2 cannot use: ` +
        `set transport to auto or openssh, or add the host's own key to ${known.files[0] ?? "known_hosts"}`,
    );
  }
  if (policy === "accept-new") return { kind: "new" };
  return refused(
    `the host key of ${known.name} is not known. Connect to it once with ssh and check the fingerprint, or add the key ` +
      `to ${known.files[0] ?? "known_hosts"} (ssh-keyscan prints it)`,
  );
}

function refused(message: string): HostKeyVerdict {
  return { kind: "refused", message };
}

/** Files a key that was accepted as new where ssh would: in the user's first file, hashed if ssh is told so. */
export async function appendHostKey(host: ResolvedHost, known: HostKeys, key: Buffer): Promise<void> {
  const file = host.userKnownHostsFiles[0];
  if (file === undefined) return;
  const type = key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
  const name = host.hashKnownHosts ? hashedName(known.name) : known.name;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const present = await readFile(file, "utf8").catch(() => "");
  // A last line without its end must not swallow the new one.
  const start = present === "" || present.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${start}${name} ${type} ${key.toString("base64")}\n`, { mode: 0o600 });
}

/** `|1|salt|hash`, HMAC-SHA1 as sshd(8) describes the format of known_hosts. */
function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}
