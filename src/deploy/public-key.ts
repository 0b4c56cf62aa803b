import { OperatorError } from "../base/errors.ts";

/** One line of a `.pub` file. */
export interface PublicKey {
  readonly type: string;
  readonly blob: string;
  readonly comment: string;
}

/** Kinds that sshd takes for the key of an account (sshd(8), AUTHORIZED_KEYS FILE FORMAT); certificates are none. */
const keyLine =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) +([A-Za-z0-9+/]{40,}={0,2})(?: +(.*))?$/;

/** Reads a public key, whose comment loses what has no place in a line. Throws an OperatorError for anything else. */
export function parsePublicKey(text: string): PublicKey {
  const lines = text.split("\n").map((line) => line.trim());
  const [only, ...more] = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const match = keyLine.exec(only ?? "");
  if (match === null || more.length > 0 || !namesItsType(match[1] ?? "", match[2] ?? "")) {
    const isPrivate = text.includes("PRIVATE KEY");
    const remedy = isPrivate
      ? "it is a private key, which never leaves its host: give the .pub file"
      : "one line of a .pub file is wanted";
    throw new OperatorError(`this is no public key: ${remedy}`, { kind: "usage" });
  }
  return {
    type: match[1] ?? "",
    blob: match[2] ?? "",
    comment: (match[3] ?? "").replaceAll(/[^ -~]/g, "?").slice(0, 200),
  };
}

/** The first field of the key itself is its type, with its length before it (RFC 4253, 6.6). */
function namesItsType(type: string, blob: string): boolean {
  const bytes = Buffer.from(blob, "base64");
  return bytes.length > 4 && bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString("latin1") === type;
}
