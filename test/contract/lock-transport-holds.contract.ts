import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LockTransport } from "../../src/lock/lock-transport.ts";
import type { LockWorld } from "./lock-transport.contract.ts";

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
