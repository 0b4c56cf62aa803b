import { isSecretName, redactText, redactUrl } from "../base/redact.ts";
import type { KeyPath } from "./problem.ts";

const hidden = "[redacted]";

/** The secret itself is in a file. */
const standsForSecret = /^(?:(?:bearer|basic) )?\{\{[^{}]*\}\}$/i;

/** A copy of plain data in which secrets are replaced, for people to look at. */
export function redactTree(value: unknown, key = ""): unknown {
  if (typeof value === "string") {
    if (standsForSecret.test(value)) return value;
    if (key === "url") return redactUrl(value);
    return isSecretName(key) && value !== "" ? hidden : redactText(value);
  }
  if (Array.isArray(value)) return value.map((item) => redactTree(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, redactTree(child, keyIn(key, name))]));
}

/** Where plain data holds the first secret, if it does. `owner` and `key`: the last two names that lead to it. */
export function findSecret(value: unknown, owner = "", key = ""): KeyPath | undefined {
  if (typeof value === "string") return redactTree(value, keyIn(owner, key)) === value ? undefined : [];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, child] of Object.entries(value)) {
    const isList = Array.isArray(value);
    const found = isList ? findSecret(child, owner, key) : findSecret(child, key, name);
    if (found !== undefined) return [isList ? Number(name) : name, ...found];
  }
  return undefined;
}

/** Below `secrets` stand files, by the names of what is in them. */
function keyIn(owner: string, name: string): string {
  return owner === "secrets" ? `${name}_file` : name;
}
