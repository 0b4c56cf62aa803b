import { readFile } from "node:fs/promises";
import { describeError, OperatorError } from "../base/errors.ts";

/**
 * The first line of a file, without the blanks around it. It is read anew for each message, so that a new secret
 * needs no restart. Throws an `OperatorError` that names the file and not its content.
 */
export async function readSecret(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new OperatorError(`the secret cannot be read: ${describeError(error)}`);
  }
  const secret = (text.split("\n", 1)[0] ?? "").trim();
  if (secret === "") throw new OperatorError(`the secret cannot be read: the first line of ${file} is empty`);
  return secret;
}

/** A text of others in which our own secrets are replaced. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, "[redacted]"), text);
}
