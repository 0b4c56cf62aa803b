import { createHash } from "node:crypto";
import { type Credentials, sameSecret } from "./credentials.ts";

export type Login =
  /** `by`: who it is, for log and history. */
  | { readonly kind: "in"; readonly by: string }
  /** Nothing was brought. */
  | { readonly kind: "none" }
  /** Too many passwords wait for being looked at: nobody can say. */
  | { readonly kind: "busy" }
  | { readonly kind: "wrong" };

/** Passwords that were right are not hashed again for each request of a page. */
const mostRemembered = 100;
/** Each costs a tenth of a second and more: whoever sends thousands at once must not occupy the director for hours. */
const mostWaiting = 16;

/**
 * Looks at the Authorization header: `Bearer` with the token, or `Basic` with a user of the web configuration or,
 * for browsers, with any name and the token as the password.
 */
export function createLoginCheck(): (authorization: string | undefined, wanted: Credentials) => Promise<Login> {
  const right = new Set<string>();
  // One at a time: whoever sends a thousand passwords must not keep a thousand computations waiting for turns.
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function isPassword(password: string, hash: string): Promise<boolean | undefined> {
    const key = createHash("sha256").update(hash).update("\0").update(password).digest("base64");
    if (right.has(key)) return true;
    if (waiting >= mostWaiting) return undefined;
    waiting += 1;
    const compared = turn.then(async () => (await import("bcryptjs")).compare(password, hash));
    turn = compared.catch(() => undefined).finally(() => (waiting -= 1));
    if (!(await compared)) return false;
    if (right.size >= mostRemembered) right.clear();
    right.add(key);
    return true;
  }

  return async (authorization, { token, web }) => {
    if (token === undefined && web.users.size === 0) return { kind: "in", by: "anybody on this host" };
    if (authorization === undefined) return { kind: "none" };
    const [, scheme = "", value = ""] = /^(\w+) +(\S+) *$/.exec(authorization) ?? [];
    if (scheme.toLowerCase() === "bearer") {
      return token !== undefined && sameSecret(value, token) ? { kind: "in", by: "the token" } : { kind: "wrong" };
    }
    if (scheme.toLowerCase() !== "basic") return { kind: "wrong" };
    const [, name = "", password = ""] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, "base64").toString("utf8")) ?? [];
    if (token !== undefined && sameSecret(password, token)) return { kind: "in", by: "the token" };
    if (web.users.size === 0) return { kind: "wrong" };
    const hash = web.users.get(name);
    // An unknown name costs as much time as a known one.
    const [anybodys = ""] = web.users.values();
    const matches = await isPassword(password, hash ?? anybodys);
    if (matches === undefined) return { kind: "busy" };
    return matches && hash !== undefined ? { kind: "in", by: name } : { kind: "wrong" };
  };
}
