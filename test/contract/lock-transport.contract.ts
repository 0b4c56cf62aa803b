import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nextTurn } from "../../src/base/next-turn.ts";
import type { Claim, LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { lockContent } from "../support/lock-fixture.ts";

/** A host for the contract, and a way to see and to change what lies on it without the transport. */
export interface LockWorld {
  /** An absolute path in a directory that exists. */
  path(name: string): string;
  /** A transport that shares nothing with the others but the host. */
  newTransport(): Promise<LockTransport>;
  plant(path: string, what: "symlink" | "directory" | "fifo" | { content: string }): Promise<void>;
  read(path: string): Promise<string | undefined>;
  /** Puts the time of a file back. */
  makeOlder(path: string, seconds: number): Promise<void>;
  /** Locks a file as a writer does, until the returned function is called. */
  lock(path: string): Promise<() => Promise<void>>;
  /** The names in the directory. */
  list(): Promise<readonly string[]>;
  close(): Promise<void>;
}

const never = new AbortController().signal;

export function claimOf(path: string, token: string): Claim {
  return { path, token, content: lockContent({ token, job: `job of '${token}'` }) };
}

const mine = "my-own-token-0123456789";
const theirs = "their-token-0123456789-";

/** What every lock transport promises. */
/** `beyondIt`: names of files that it may refuse, as long as it makes no lock there. */
export function describeLockTransport(
  name: string,
  open: () => Promise<LockWorld>,
  beyondIt: readonly string[] = [],
): void {
  describe(`the lock transport "${name}"`, () => {
    let world: LockWorld;
    let transport: LockTransport;
    const acquire = (claims: readonly Claim[], thenCheck: readonly string[] = []) =>
      transport.acquire({ claims, thenCheck }, never);
    const kinds = (answers: readonly { kind: string }[]) => answers.map(({ kind }) => kind);

    beforeEach(async () => {
      world = await open();
      transport = await world.newTransport();
    });
    afterEach(() => world.close());

    it("takes a free lock with its whole content, and shows it to others", async () => {
      const path = world.path("a.lock");
      const claim = claimOf(path, mine);
      expect(kinds((await acquire([claim])).claims)).toEqual(["acquired"]);
      expect(await world.read(path)).toBe(claim.content);
      const [seen] = await (await world.newTransport()).check([path], never);
      expect(seen).toMatchObject({ kind: "held", found: { owner: "777", record: { token: mine, v: 1 } } });
      expect(seen?.kind === "held" && seen.found.ageSeconds).toBeLessThan(30);
    });

    describe("that is to look before it claims", () => {
      const request = (thenCheck: string[]) => {
        const claims = [claimOf(world.path("a.lock"), mine)];
        return { claims, thenCheck, thenPromote: claims, lookFirst: true };
      };

      it.each(["another's lock", "a directory"])("leaves it at that for %s", async (what) => {
        const other = world.path("other");
        await world.plant(other, what === "a directory" ? "directory" : { content: lockContent({ token: theirs }) });
        const before = await world.list();
        const { claims, checks, promotions, looked } = await transport.acquire(
          request([world.path("free"), other]),
          never,
        );
        expect([kinds(claims), checks, promotions]).toEqual([["not-tried"], [], []]);
        expect(kinds(looked ?? [])).toEqual(["absent", "absent", what === "a directory" ? "error" : "held"]);
        expect(await world.list()).toEqual(before);
      });

      it("claims when nothing is there, and finds the own lock of another", async () => {
        const { claims, checks, looked } = await transport.acquire(request([world.path("free")]), never);
        expect([kinds(claims), kinds(checks), looked]).toEqual([["acquired"], ["absent"], undefined]);
        const again = { ...request([world.path("free")]), claims: [claimOf(world.path("a.lock"), theirs)] };
        expect((await transport.acquire(again, never)).looked).toMatchObject([
          { kind: "held", found: { record: { token: mine } } },
          { kind: "absent" },
        ]);
      });

      it("claims several, or none of them", async () => {
        const claims = ["a.lock", "b.lock"].map((file) => claimOf(world.path(file), mine));
        const several = { ...request([world.path("free")]), claims, thenPromote: claims };
        expect(kinds((await transport.acquire(several, never)).claims)).toEqual(["acquired", "acquired"]);
        await transport.release([{ path: world.path("a.lock"), token: mine }], never);
        const others = claims.map(({ path }) => claimOf(path, theirs));
        const { claims: none, looked } = await transport.acquire({ ...several, claims: others }, never);
        expect([kinds(none), kinds(looked ?? [])]).toEqual([
          ["not-tried", "not-tried"],
          ["absent", "held", "absent"],
        ]);
        expect(await world.read(world.path("a.lock"))).toBeUndefined();
      });
    });

    it("lets exactly one of twenty simultaneous claims win", async () => {
      const path = world.path("contended.lock");
      const contenders = await Promise.all(Array.from({ length: 20 }, () => world.newTransport()));
      const results = await Promise.all(
        contenders.map((contender, index) => {
          const claims = [claimOf(path, `contender-${String(index).padStart(2, "0")}-0123456789`)];
          return contender.acquire({ claims, thenCheck: [] }, new AbortController().signal);
        }),
      );
      const answers = results.map(({ claims }) => claims[0]?.kind);
      expect(answers.filter((kind) => kind === "acquired")).toHaveLength(1);
      expect(answers.filter((kind) => kind === "held")).toHaveLength(19);
      const winner = answers.indexOf("acquired");
      expect(await world.read(path)).toContain(`contender-${String(winner).padStart(2, "0")}-`);
    });

    it("takes a claim with the token that is already there as acquired, and says so", async () => {
      const claim = claimOf(world.path("a.lock"), mine);
      expect((await acquire([claim])).claims).toEqual([{ kind: "acquired" }]);
      expect((await acquire([claim])).claims).toEqual([{ kind: "acquired", already: true }]);
    });

    it("stops at the first claim that does not succeed, and looks at nothing then", async () => {
      const [first, second, third] = ["1", "2", "3"].map((file) => world.path(file)) as [string, string, string];
      await acquire([claimOf(second, theirs)]);
      const result = await acquire([claimOf(first, mine), claimOf(second, mine), claimOf(third, mine)], [first]);
      expect(kinds(result.claims)).toEqual(["acquired", "held", "not-tried"]);
      expect(result.checks).toEqual([]);
      expect(await world.read(third)).toBeUndefined();
    });

    it("looks at further paths after the last claim, in the same call", async () => {
      const [lock, other] = [world.path("lock"), world.path("other")];
      const result = await acquire([claimOf(lock, mine)], [other, lock]);
      expect(kinds(result.checks)).toEqual(["absent", "held"]);
    });

    it("releases by token only", async () => {
      const path = world.path("a.lock");
      await acquire([claimOf(path, mine)]);
      const [lost] = await transport.release([{ path, token: theirs }], never);
      expect(lost).toMatchObject({ kind: "lost", found: { record: { token: mine } } });
      expect(kinds(await transport.release([{ path, token: mine }], never))).toEqual(["released"]);
      expect(kinds(await transport.release([{ path, token: mine }], never))).toEqual(["absent"]);
      expect(await world.read(path)).toBeUndefined();
    });

    it.each(["4242\n", "", lockContent({ token: theirs })])(
      "does not take a lock for its own any more that was written over in its place: %j",
      async (content) => {
        const path = world.path("a.lock");
        await acquire([claimOf(path, mine)]);
        await world.plant(path, { content });
        const own = [{ path, token: mine }];
        expect(kinds(await transport.beat(own, never))).toEqual(["lost"]);
        expect(kinds(await transport.promote([claimOf(path, mine)], never))).toEqual(["lost"]);
        expect(kinds((await acquire([claimOf(path, mine)])).claims)).toEqual(["held"]);
        expect(kinds(await transport.release(own, never))).toEqual(["lost"]);
        expect(await world.read(path)).toBe(content);
      },
    );

    it("releases the locks behind one that cannot be released", async () => {
      const [first, second] = [world.path("first"), world.path("second")];
      await acquire([claimOf(second, mine)]);
      const own = [first, second].map((path) => ({ path, token: mine }));
      expect(kinds(await transport.release(own, never))).toEqual(["absent", "released"]);
    });

    it.each([
      ["a bare process id", "1234\n", "1234"],
      ["a process id without an end of line", "1234", "1234"],
      ["an empty file", "", ""],
      ["a later version", '1\n{"v":2,"token":"my-own-token-0123456789"}\n', "1"],
      ["garbage", "\u0000\u0001 $(touch x) '\n\"}{", undefined],
      ["more than a lock can have", "x".repeat(100_000), undefined],
    ])("respects a file of another kind: %s", async (_, content, owner) => {
      const path = world.path("foreign.lock");
      await world.plant(path, { content });
      const [seen] = await transport.check([path], never);
      expect(seen).toMatchObject({ kind: "held", found: { record: null } });
      if (owner !== undefined) expect(seen).toMatchObject({ found: { owner } });
      expect(kinds((await acquire([claimOf(path, theirs)])).claims)).toEqual(["held"]);
      expect(kinds(await transport.release([{ path, token: theirs }], never))).toEqual(["lost"]);
      expect(await world.read(path)).toBe(content);
    });

    it.each(["symlink", "directory", "fifo"] as const)("refuses a %s in place of a lock", async (what) => {
      const path = world.path("odd.lock");
      await world.plant(path, what);
      expect(kinds((await acquire([claimOf(path, mine)])).claims)).toEqual(["error"]);
      expect(kinds(await transport.check([path], never))).toEqual(["error"]);
      expect(kinds(await transport.release([{ path, token: mine }], never))).toEqual(["error"]);
    });

    it("never calls a path free whose directory does not exist", async () => {
      const path = `${world.path("missing")}/a.lock`;
      expect(kinds(await transport.check([path], never))).toEqual(["error"]);
      expect(kinds((await acquire([claimOf(path, mine)])).claims)).toEqual(["error"]);
    });

    it("refuses a path that is not absolute", async () => {
      expect(kinds(await transport.check(["a.lock"], never))).toEqual(["error"]);
      expect(kinds((await acquire([claimOf("a.lock", mine)])).claims)).toEqual(["error"]);
    });

    it.each([
      "with space  twice",
      "quote'single",
      'quote"double',
      "$(touch pwned)",
      "`id`",
      "-rf",
      "new\nline",
      "back\\slash",
      "*",
      "ünïcode 😀",
      "a;b&c|d",
    ])("takes the path %j literally", async (file) => {
      const path = world.path(file);
      if (beyondIt.includes(file)) {
        expect(kinds(await transport.check([path], never))).not.toEqual(["absent"]);
        expect(kinds((await acquire([claimOf(path, mine)], [path])).claims)).not.toEqual(["acquired"]);
        expect(await world.list()).toEqual([]);
        return;
      }
      expect(kinds(await transport.check([path], never))).toEqual(["absent"]);
      const result = await acquire([claimOf(path, mine)], [path]);
      expect(kinds(result.claims)).toEqual(["acquired"]);
      expect(kinds(result.checks)).toEqual(["held"]);
      expect(await world.read(path)).toContain(mine);
      expect(kinds(await transport.release([{ path, token: mine }], never))).toEqual(["released"]);
      expect(await world.read(path)).toBeUndefined();
    });

    it("answers many looks in one call, each at its place", async () => {
      const paths = Array.from({ length: 100 }, (_, index) => world.path(`lock ${index}`));
      const held = paths.filter((_, index) => index % 7 === 0);
      await acquire(held.map((path) => claimOf(path, mine)));
      const odd = paths[5] as string;
      await world.plant(odd, "directory");
      const expected = paths.map((path) => (path === odd ? "error" : held.includes(path) ? "held" : "absent"));
      expect(kinds(await transport.check(paths, never))).toEqual(expected);
    });

    it("answers a claim that was given up before the release that follows it", async () => {
      const path = world.path("a.lock");
      await world.plant(path, { content: lockContent({ token: theirs }) });
      await transport.check([path], never);
      const [stop, answered] = [new AbortController(), [] as string[]];
      const claims = [claimOf(path, mine)];
      const claimed = transport.acquire({ claims, thenCheck: [] }, stop.signal).then(() => answered.push("claim"));
      await nextTurn();
      stop.abort();
      const released = transport.release([{ path, token: mine }], never).then(() => answered.push("release"));
      await Promise.all([claimed, released]);
      expect(answered).toEqual(["claim", "release"]);
      expect(await world.read(path)).toBe(lockContent({ token: theirs }));
    });

    it("sends nothing once the signal is aborted", async () => {
      const path = world.path("a.lock");
      const stopped = AbortSignal.abort();
      const result = await transport.acquire({ claims: [claimOf(path, mine)], thenCheck: [] }, stopped);
      expect(result.claims).toMatchObject([{ kind: "unknown", mayHaveRun: false }]);
      expect(kinds(await transport.check([path], stopped))).toEqual(["unknown"]);
      expect(await world.read(path)).toBeUndefined();
    });
  });
}
