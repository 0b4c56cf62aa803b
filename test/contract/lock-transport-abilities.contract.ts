import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { claimOf, type LockWorld } from "./lock-transport.contract.ts";

const never = new AbortController().signal;
const token = "my-own-token-0123456789";

/** Each operation that a transport may decline, done to a lock with `token` at `path`; its kind of answer. */
const operations = {
  break: async (transport: LockTransport, path: string) =>
    (await transport.break({ path, token, mtime: 0 }, never)).kind,
  breakForeign: async (transport: LockTransport, path: string) =>
    (await transport.breakForeign({ path, sha256: "0".repeat(64), mtime: 0 }, never)).kind,
  fingerprint: async (transport: LockTransport, path: string) => (await transport.fingerprint(path, never)).kind,
  holds: async (transport: LockTransport, path: string) =>
    (await transport.holds([`${path}.hold`], never))[0]?.kind ?? "nothing",
  fence: async (transport: LockTransport, path: string) =>
    (await transport.fence({ path: `${path}.hold`, token }, never)).kind,
} as const;

/** The operations that a transport declines, each with the reason. */
export type Abilities = Readonly<Partial<Record<keyof typeof operations, string>>>;

/** Nothing is declined but what is declared: an operation that is never done would pass the other suites. */
export function describeAbilities(name: string, open: () => Promise<LockWorld>, cannot: Abilities): void {
  describe(`the abilities of the lock transport "${name}"`, () => {
    let world: LockWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    it.each(Object.keys(operations) as (keyof typeof operations)[])(
      "%s is done or declared not to be",
      async (operation) => {
        const transport = await world.newTransport();
        const path = world.path("a.lock");
        await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never);
        const kind = await operations[operation](transport, path);
        if (cannot[operation] === undefined) expect(["unsupported", "error", "unknown"]).not.toContain(kind);
        else expect(["unsupported", "error"]).toContain(kind);
      },
    );
  });
}
