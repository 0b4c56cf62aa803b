import type { KeyPath } from "./problem.ts";

const hidden = "***";

/** Keys whose texts are secrets themselves; `token_file` and the like only say where one is. */
const secretKey = /(?:^|[_-])(?:password|passwd|passphrase|secret|token|api_?key)$/i;

/** Secrets inside other texts: a URL's password, an option's or header's value. */
const secretTexts: readonly RegExp[] = [
  /([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi,
  /((?:password|passwd|passphrase|secret|token|api[_-]?key)(?:=|:\s*))(?!\s|$)[^\s'"&]+/gi,
  /((?:^|\s)--?[\w-]*(?:password|passwd|passphrase|secret|token|api-?key)\s+)[^\s'"-][^\s'"]*/gi,
  /(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}/g,
];

/** The text with every recognisable secret in it replaced. */
export function redactText(text: string): string {
  return secretTexts.reduce((result, pattern) => result.replace(pattern, `$1${hidden}`), text);
}

/** A copy of plain data in which secrets are replaced, for people to look at. */
export function redactTree(value: unknown, key = ""): unknown {
  if (typeof value === "string") return secretKey.test(key) && value !== "" ? hidden : redactText(value);
  if (Array.isArray(value)) return value.map((item) => redactTree(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, redactTree(child, name)]));
}

/** Where plain data holds the first secret, if it does. */
export function findSecret(value: unknown, path: KeyPath = []): KeyPath | undefined {
  if (typeof value === "string") {
    const key = path.findLast((part) => typeof part === "string");
    const secret = (typeof key === "string" && secretKey.test(key) && value !== "") || redactText(value) !== value;
    return secret ? path : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, child] of Object.entries(value)) {
    const found = findSecret(child, [...path, Array.isArray(value) ? Number(name) : name]);
    if (found !== undefined) return found;
  }
  return undefined;
}
