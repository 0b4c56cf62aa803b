import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { lockContent } from "../support/lock-fixture.ts";
import type { LockWorld } from "./lock-transport.contract.ts";

const token = "my-own-token-0123456789";
const kindsOf = (answers: readonly { kind: string }[]) => answers.map(({ kind }) => kind);
const never = new AbortController().signal;

/**
 * What every lock transport promises about hold files. One that cannot reach kernel locks (sftp) says so
 * each time, and never `free`.
 */
export function describeHolds(name: string, open: () => Promise<LockWorld>): void {
  describe(`hold files over the lock transport "${name}"`, () => {
    let world: LockWorld;
    let transport: LockTransport;
    const look = async (...paths: string[]) => (await transport.holds(paths, never)).map(({ kind }) => kind);
    /** The answers of a transport that can tell, or of one that refuses to. */
    const orRefusals = (expected: string[]) => [expected, expected.map(() => "error")];

    beforeEach(async () => {
      world = await open();
      transport = await world.newTransport();
    });
    afterEach(() => world.close());

    it("are free when nobody has locked them, whether they are there or not", async () => {
      const [old, fresh] = [world.path("old.hold"), world.path("fresh 'name'.hold")];
      await (
        await world.lock(old)
      )();
      expect(orRefusals(["free", "free"])).toContainEqual(await look(old, fresh));
    });

    it("are in use exactly as long as a writer has them locked", async () => {
      const [busy, idle] = [world.path("busy.hold"), world.path("idle.hold")];
      const letGo = await world.lock(busy);
      expect(orRefusals(["free", "in-use"])).toContainEqual(await look(idle, busy));
      await letGo();
      expect(orRefusals(["free", "free"])).toContainEqual(await look(idle, busy));
    });

    it("are not in use because others look at the same time", async () => {
      const path = world.path("looked-at.hold");
      const others = await Promise.all(Array.from({ length: 10 }, () => world.newTransport()));
      const answers = await Promise.all(others.map((other) => other.holds([path, path, path], never)));
      const kinds = answers.flat().map(({ kind }) => kind);
      expect(orRefusals(kinds.map(() => "free"))).toContainEqual(kinds);
    });

    it("turn a token away for ever once it is declared dead, and no other", async () => {
      const path = world.path("fenced 'x'.hold");
      const fence = async (token: string) => (await transport.fence({ path, token }, never)).kind;
      const answers = [await fence("-a-token-0123456789012"), await fence("-a-token-0123456789012"), await fence("")];
      expect([["fenced", "fenced", "error"], answers.map(() => "unsupported")]).toContainEqual(answers);
      const content = await world.read(path);
      if (content !== undefined) expect(content).toBe("dead -a-token-0123456789012;\n");
    });

    it("do not name a token as dead while a writer has them locked", async () => {
      const path = world.path("busy.hold");
      const letGo = await world.lock(path);
      const fence = async () => (await transport.fence({ path, token: "token-of-the-writer-01" }, never)).kind;
      expect(["in-use", "unsupported"]).toContain(await fence());
      expect((await world.read(path)) ?? "").toBe("");
      await letGo();
      expect(["fenced", "unsupported"]).toContain(await fence());
    });

    it("forget the first of two thousand dead tokens and more, and keep the last thousand", async () => {
      const path = world.path("long.hold");
      const lines = Array.from({ length: 2000 }, (_, index) => `dead token-${String(index).padStart(16, "0")};\n`);
      await world.plant(path, { content: lines.join("") });
      const answer = await transport.fence({ path, token: "token-of-the-newest-01" }, never);
      const content = (await world.read(path)) ?? "";
      if (answer.kind !== "fenced" || name === "memory") return expect(content).toBe(lines.join(""));
      expect(content).toBe(`${lines.slice(1000).join("")}dead token-of-the-newest-01;\n`);
    });

    it("are not written into when they contain anything else", async () => {
      const path = world.path("precious.hold");
      const content = Array.from({ length: 3000 }, (_, index) => `${index}\n`).join("");
      await world.plant(path, { content });
      const { kind } = await transport.fence({ path, token: "token-of-the-newest-01" }, never);
      expect(["error", "unsupported"]).toContain(name === "memory" ? "error" : kind);
      expect(await world.read(path)).toBe(content);
    });

    it("keep a lock from being given back while a writer has them locked", async () => {
      const path = world.path("a.lock");
      const held = { path, token, content: lockContent({ token, hold: true }) };
      await transport.acquire({ claims: [held], thenCheck: [] }, never);
      const letGo = await world.lock(`${path}.hold`);
      const own = [{ path, token }];
      const knowsHolds = (await transport.holds([`${path}.hold`], never))[0]?.kind !== "error";
      const [answer] = await transport.release(own, never);
      expect(answer?.kind).toBe(knowsHolds ? "in-use" : "released");
      // Over sftp nothing is known of kernel locks.
      if (!knowsHolds) return letGo();
      expect(await world.read(path)).toBe(held.content);
      expect(kindsOf(await transport.beat(own, never))).toEqual(["beaten"]);
      await letGo();
      expect(kindsOf(await transport.release(own, never))).toEqual(["released"]);
      expect(await world.list()).not.toContain(`a.lock.tmp.${token}`);
    });

    it("do not keep a lock whose token no writer was let in with", async () => {
      const path = world.path("a.lock");
      const own = [{ path, token }];
      const content = (state: "claim" | "held") => lockContent({ token, hold: true, state });
      const letGo = await world.lock(`${path}.hold`);
      await transport.acquire({ claims: [{ path, token, content: content("held") }], thenCheck: [] }, never);
      const without = own.map((lock) => ({ ...lock, withoutWriters: true }));
      expect(kindsOf(await transport.release(without, never))).toEqual(["released"]);
      await transport.acquire({ claims: [{ path, token, content: content("claim") }], thenCheck: [] }, never);
      expect(kindsOf(await transport.release(own, never))).toEqual(["released"]);
      await letGo();
    });

    it("cannot be without a directory", async () => {
      expect(await look(world.path("nowhere/x.hold"))).toEqual(["error"]);
    });

    it("are unknown when nothing could be sent any more", async () => {
      const gone = new AbortController();
      gone.abort();
      const [answer] = await transport.holds([world.path("x.hold")], gone.signal);
      expect(["unknown", "error"]).toContain(answer?.kind);
    });
  });
}
