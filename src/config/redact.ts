import { isSecretName, redactText } from "../base/redact.ts";
import type { KeyPath } from "./problem.ts";

const hidden = "[redacted]";

/** A copy of plain data in which secrets are replaced, for people to look at. */
export function redactTree(value: unknown, key = ""): unknown {
  if (typeof value === "string") return isSecretName(key) && value !== "" ? hidden : redactText(value);
  if (Array.isArray(value)) return value.map((item) => redactTree(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, redactTree(child, name)]));
}

/** Where plain data holds the first secret, if it does. */
export function findSecret(value: unknown, path: KeyPath = []): KeyPath | undefined {
  if (typeof value === "string") {
    const key = path.findLast((part) => typeof part === "string") ?? "";
    return redactTree(value, String(key)) === value ? undefined : path;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, child] of Object.entries(value)) {
    const found = findSecret(child, [...path, Array.isArray(value) ? Number(name) : name]);
    if (found !== undefined) return found;
  }
  return undefined;
}
