import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Claim, LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { lockContent } from "../support/lock-fixture.ts";
import type { LockWorld } from "./lock-transport.contract.ts";

const never = new AbortController().signal;
const mine = "my-own-token-0123456789";
const theirs = "their-token-0123456789-";

function claimWith(path: string, token: string, state: "claim" | "held!"): Claim {
  // Equally long, as the pair that a claim is made of.
  const content = lockContent({ token, job: state, state: "held" });
  return { path, token, content };
}

/**
 * What every lock transport promises about signs of life, promotions and the breaking of stale locks. A
 * transport of kind `sftp` never breaks, and says so.
 */
export function describeLeases(name: string, open: () => Promise<LockWorld>): void {
  describe(`leases by the lock transport "${name}"`, () => {
    let world: LockWorld;
    let transport: LockTransport;
    let path: string;
    const kinds = (answers: readonly { kind: string }[]) => answers.map(({ kind }) => kind);
    const take = (token = mine) =>
      transport.acquire({ claims: [claimWith(path, token, "claim")], thenCheck: [] }, never);
    const look = async () => {
      const [seen] = await transport.check([path], never);
      return seen?.kind === "held" ? seen.found : undefined;
    };
    const mtime = async () => (await look())?.mtime ?? Number.NaN;
    /** Breaks, or tells that this transport cannot and left everything as it was. */
    const breakOrRefuse = async (token: string, time: number) => {
      const before = await world.read(path);
      const answer = await transport.break({ path, token, mtime: time }, never);
      if (answer.kind !== "unsupported") return answer;
      expect(await world.read(path)).toBe(before);
      return undefined;
    };

    beforeEach(async () => {
      world = await open();
      transport = await world.newTransport();
      path = world.path("a.lock");
    });
    afterEach(() => world.close());

    it("touches an own lock, by the clock of its host, and changes nothing else", async () => {
      await take();
      const content = await world.read(path);
      await world.makeOlder(path, 300);
      expect((await look())?.ageSeconds).toBeGreaterThanOrEqual(299);
      expect(kinds(await transport.beat([{ path, token: mine }], never))).toEqual(["beaten"]);
      expect((await look())?.ageSeconds).toBeLessThan(30);
      expect(await world.read(path)).toBe(content);
    });

    it("does not touch another's lock, and does not make one again that is gone", async () => {
      await take(theirs);
      await world.makeOlder(path, 300);
      const [lost] = await transport.beat([{ path, token: mine }], never);
      expect(lost).toMatchObject({ kind: "lost", found: { record: { token: theirs } } });
      expect((await look())?.ageSeconds).toBeGreaterThanOrEqual(299);
      const gone = world.path("gone.lock");
      expect(kinds(await transport.beat([{ path: gone, token: mine }], never))).toEqual(["absent"]);
      expect(await world.read(gone)).toBeUndefined();
    });

    it("beats many locks in one call, each at its place", async () => {
      await take();
      const own = [world.path("none"), path, `${world.path("missing")}/x`].map((file) => ({ path: file, token: mine }));
      expect(kinds(await transport.beat(own, never))).toEqual(["absent", "beaten", "error"]);
    });

    it("promotes an own claim: the whole new content, and a sign of life", async () => {
      await take();
      await world.makeOlder(path, 300);
      const held = claimWith(path, mine, "held!");
      expect(kinds(await transport.promote([held], never))).toEqual(["promoted"]);
      expect(kinds(await transport.promote([held], never))).toEqual(["promoted"]);
      expect(await world.read(path)).toBe(held.content);
      expect((await look())?.ageSeconds).toBeLessThan(30);
    });

    it("promotes nothing that is another's or gone", async () => {
      const held = claimWith(path, mine, "held!");
      expect(kinds(await transport.promote([held], never))).toEqual(["absent"]);
      expect(await world.read(path)).toBeUndefined();
      await take(theirs);
      const before = await world.read(path);
      expect(kinds(await transport.promote([held], never))).toEqual(["lost"]);
      expect(await world.read(path)).toBe(before);
    });

    it("promotes in the trip of the claim when nothing is in the way, itself not counted", async () => {
      const claim = claimWith(path, mine, "claim");
      const held = claimWith(path, mine, "held!");
      const others = [world.path("free 1"), path, world.path("free 2")];
      const request = { claims: [claim], thenCheck: others, thenPromote: [held] };
      const result = await transport.acquire(request, never);
      expect(kinds(result.claims)).toEqual(["acquired"]);
      expect(kinds(result.checks)).toEqual(["absent", "held", "absent"]);
      // A transport may leave that undone, but not say that it did it.
      if (result.promotions.length > 0) expect(kinds(result.promotions)).toEqual(["promoted"]);
      expect(await world.read(path)).toBe((result.promotions.length > 0 ? held : claim).content);
    });

    it.each(["a lock", "a directory"])("does not promote when %s is in the way", async (what) => {
      const other = world.path("other");
      await world.plant(other, what === "a lock" ? { content: lockContent({ token: theirs }) } : "directory");
      const claim = claimWith(path, mine, "claim");
      const request = { claims: [claim], thenCheck: [other], thenPromote: [claimWith(path, mine, "held!")] };
      const result = await transport.acquire(request, never);
      expect(kinds(result.claims)).toEqual(["acquired"]);
      expect(result.promotions).toEqual([]);
      expect(await world.read(path)).toBe(claim.content);
    });

    it("claims and promotes several locks in one call", async () => {
      const paths = [path, world.path("b.lock")];
      const claims = paths.map((file) => claimWith(file, mine, "claim"));
      const thenPromote = paths.map((file) => claimWith(file, mine, "held!"));
      const result = await transport.acquire({ claims, thenCheck: [world.path("free")], thenPromote }, never);
      expect(kinds(result.claims)).toEqual(["acquired", "acquired"]);
      expect(kinds(result.checks)).toEqual(["absent"]);
      if (result.promotions.length === 0) return expect(await world.read(path)).toBe(claims[0]?.content);
      expect(kinds(result.promotions)).toEqual(["promoted", "promoted"]);
      for (const { path: file, content } of thenPromote) expect(await world.read(file)).toBe(content);
    });

    it("moves a stale lock aside, whole, so that its path is free", async () => {
      await take(theirs);
      const content = await world.read(path);
      await world.makeOlder(path, 1000);
      const answer = await breakOrRefuse(theirs, await mtime());
      if (answer === undefined) return;
      expect(answer).toEqual({ kind: "broken" });
      expect(kinds(await transport.check([path], never))).toEqual(["absent"]);
      expect(await world.read(`${path}.broken.${theirs}`)).toBe(content);
      expect(kinds((await take()).claims)).toEqual(["acquired"]);
      expect(await breakOrRefuse(theirs, 0)).toMatchObject({ kind: "changed" });
      expect(await world.read(path)).toContain(mine);
    });

    it("does not break a lock that was touched, is another's, or is gone", async () => {
      await take(theirs);
      await world.makeOlder(path, 1000);
      const time = await mtime();
      expect([undefined, "changed"]).toContain((await breakOrRefuse(theirs, time - 1))?.kind);
      expect([undefined, "changed"]).toContain((await breakOrRefuse(mine, time))?.kind);
      await transport.beat([{ path, token: theirs }], never);
      expect([undefined, "changed"]).toContain((await breakOrRefuse(theirs, time))?.kind);
      expect(await world.read(path)).toContain(theirs);
      await transport.release([{ path, token: theirs }], never);
      expect([undefined, "absent"]).toContain((await breakOrRefuse(theirs, time))?.kind);
    });

    it("breaks whatever the clock of its host says: the caller knows", async () => {
      await take(theirs);
      await world.makeOlder(path, -5000);
      expect([undefined, "broken"]).toContain((await breakOrRefuse(theirs, await mtime()))?.kind);
    });

    it("does not break a lock while a writer holds its hold file", async () => {
      await take(theirs);
      await world.makeOlder(path, 1000);
      const letGo = await world.lock(`${path}.hold`);
      expect([undefined, "in-use"]).toContain((await breakOrRefuse(theirs, await mtime()))?.kind);
      expect(await world.read(path)).toContain(theirs);
      await letGo();
      expect([undefined, "broken"]).toContain((await breakOrRefuse(theirs, await mtime()))?.kind);
    });

    it("breaks a lock without a hold file under a hold file that it makes", async () => {
      await take(theirs);
      const answer = await breakOrRefuse(theirs, await mtime());
      if (answer === undefined || name === "memory") return;
      expect(answer).toEqual({ kind: "broken" });
      expect(await world.read(`${path}.hold`)).toBe("");
    });

    it("never takes a foreign lock for one without a token", async () => {
      for (const content of ["", "1234\n", '1\n{"token":""}\n']) {
        await world.plant(path, { content });
        await world.makeOlder(path, 100_000);
        const answer = await breakOrRefuse("", await mtime());
        if (answer !== undefined) expect(answer.kind).toBe("error");
        expect(await world.read(path)).toBe(content);
      }
    });

    it.each(["", "1234", "x\ny\nz\n$(touch pwned)", '1\n{"v":2}\n'])(
      "breaks the foreign lock %j by its sum",
      async (content) => {
        await world.plant(path, { content });
        const print = await transport.fingerprint(path, never);
        if (print.kind === "unsupported") return;
        if (print.kind !== "fingerprint") throw new Error(print.kind);
        const { sha256, found } = print;
        expect(found.record).toBeNull();
        const foreign = { path, sha256, mtime: found.mtime };
        const changed = await transport.breakForeign({ ...foreign, sha256: "0".repeat(64) }, never);
        expect(changed.kind).toBe("changed");
        expect((await transport.breakForeign({ ...foreign, mtime: found.mtime - 1 }, never)).kind).toBe("changed");
        expect(await world.read(path)).toBe(content);
        expect(await transport.breakForeign(foreign, never)).toEqual({ kind: "broken" });
        expect(await world.read(path)).toBeUndefined();
        expect((await world.list()).filter((file) => file.startsWith("a.lock.broken."))).toHaveLength(1);
        expect((await transport.breakForeign(foreign, never)).kind).toBe("absent");
      },
    );

    it.each(["symlink", "directory", "fifo"] as const)("refuses a %s in place of a lock", async (what) => {
      await world.plant(path, what);
      expect(kinds(await transport.beat([{ path, token: mine }], never))).toEqual(["error"]);
      expect(kinds(await transport.promote([claimWith(path, mine, "held!")], never))).toEqual(["error"]);
      const stale = { path, token: mine, mtime: 0 };
      expect(["error", "unsupported"]).toContain((await transport.break(stale, never)).kind);
      expect(["error", "unsupported"]).toContain((await transport.fingerprint(path, never)).kind);
    });

    it("lets twenty breakers and claimers of one stale lock end with one of each", async () => {
      await take(theirs);
      await world.makeOlder(path, 1000);
      const time = await mtime();
      if ((await transport.break({ path, token: theirs, mtime: time - 1 }, never)).kind === "unsupported") return;
      const token = (index: number) => `contender-${String(index).padStart(2, "0")}-0123456789`;
      const contenders = await Promise.all(Array.from({ length: 20 }, () => world.newTransport()));
      const results = await Promise.all(
        contenders.map(async (contender, index) => {
          const signal = new AbortController().signal;
          const broke = await contender.break({ path, token: theirs, mtime: time }, signal);
          const claims = [claimWith(path, token(index), "claim")];
          const { claims: answers } = await contender.acquire({ claims, thenCheck: [] }, signal);
          return { broke: broke.kind, claimed: answers[0]?.kind };
        }),
      );
      expect(results.filter(({ broke }) => broke === "broken")).toHaveLength(1);
      expect(results.every(({ broke }) => ["broken", "absent", "changed"].includes(broke))).toBe(true);
      expect(results.filter(({ claimed }) => claimed === "acquired")).toHaveLength(1);
      const winner = results.findIndex(({ claimed }) => claimed === "acquired");
      expect(await world.read(path)).toContain(token(winner));
      expect(await world.read(`${path}.broken.${theirs}`)).toContain(theirs);
    });

    it("gives a lock that others could not break safely no lease", async () => {
      const content = lockContent({ token: mine, ttl: 600, hb: 30 });
      await transport.acquire({ claims: [{ path, token: mine, content }], thenCheck: [] }, never);
      const { kind } = await transport.break({ path, token: theirs, mtime: 0 }, never);
      expect((await look())?.record).toMatchObject({ ttl: kind === "unsupported" ? 0 : 600, hb: 30 });
      expect(kinds(await transport.promote([{ path, token: mine, content }], never))).toEqual(["promoted"]);
      expect((await look())?.record).toMatchObject({ ttl: kind === "unsupported" ? 0 : 600 });
    });

    it("tells what a directory is good for, and leaves nothing behind", async () => {
      const directory = path.slice(0, path.lastIndexOf("/"));
      const before = await world.list();
      const [good, missing] = await transport.probe([directory, `${directory}/missing`], never);
      expect(good).toMatchObject({ kind: "probed", exclusive: true, uid: expect.any(Number) });
      if (good?.kind !== "probed") throw new Error(good?.kind);
      if (good.mode === "full") expect(good).toMatchObject({ hardLinks: true, flock: true });
      // Of a directory that keeps nothing but its owner out.
      expect(good.permissions & 0o700).toBe(0o700);
      expect(Math.abs(good.nowSeconds - Date.now() / 1000) < 60 || name === "memory").toBe(true);
      expect(missing).toMatchObject({ kind: "error" });
      expect(await world.list()).toEqual(before);
    });

    it("sends none of these once the signal is aborted", async () => {
      await take();
      await world.makeOlder(path, 1000);
      const stopped = AbortSignal.abort();
      const time = await mtime();
      expect(kinds(await transport.beat([{ path, token: mine }], stopped))).toEqual(["unknown"]);
      expect(kinds(await transport.promote([claimWith(path, mine, "held!")], stopped))).toEqual(["unknown"]);
      const answer = await transport.break({ path, token: mine, mtime: time }, stopped);
      expect(["unknown", "unsupported"]).toContain(answer.kind);
      expect((await look())?.ageSeconds).toBeGreaterThanOrEqual(999);
    });
  });
}
