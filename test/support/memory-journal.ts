import type { ClaimJournal } from "../../src/lock/claim/claim-journal.ts";

/** A journal in memory: which tokens may still be at which locks. */
export function createMemoryJournal(): ClaimJournal & {
  readonly open: ReadonlyMap<string, readonly string[] | "any">;
} {
  const open = new Map<string, readonly string[] | "any">();
  const unlinked = new Set<string>();
  const keep = (token: string, keys: readonly string[]) => {
    if (keys.length > 0) open.set(token, keys);
    else open.delete(token);
  };
  return {
    open,
    claiming: ({ token }) => {
      open.set(token, "any");
      return Promise.resolve();
    },
    left: keep,
    unlinking: (token, key) => {
      if (unlinked.has(`${token} ${key}`)) return Promise.resolve(false);
      unlinked.add(`${token} ${key}`);
      return Promise.resolve(true);
    },
    unlinkAnswered: (token, key) => void unlinked.delete(`${token} ${key}`),
    gone: (token, key) => {
      const before = open.get(token);
      if (before !== undefined && before !== "any")
        keep(
          token,
          before.filter((left) => left !== key),
        );
    },
  };
}
