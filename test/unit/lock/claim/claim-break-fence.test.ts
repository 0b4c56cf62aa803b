import { beforeEach, describe, expect, it } from "vitest";
import { buildTarget } from "../../../support/build-job.ts";
import { lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { asBlock, type BreakWorld, createBreakWorld, dead, path } from "./claim-break-fixture.ts";

describe("a job that waits for a lock whose owner died", () => {
  let world: BreakWorld;
  beforeEach(() => void (world = createBreakWorld()));

  describe("whose hold lock is on another host than the lock", () => {
    const fence = { host: "dest", path: "/locks/00000000000000000000000000000001.hold" };
    const destination = remoteLock("dest", "/locks/any");
    const endpoint = destination.type === "remote" ? destination.endpoint : undefined;
    let dest: MemoryLockHost;
    beforeEach(() => {
      dest = new MemoryLockHost("dest", world.clock);
      world.backup.write(path, lockContent({ ...dead, fence }));
    });

    it("declares the token dead there first, and breaks then", async () => {
      const { state, events } = world.start(
        { ...asBlock, targets: [buildTarget(endpoint)] },
        { hosts: [world.backup, world.local, dest] },
      );
      let fenced: boolean | undefined;
      events.on(
        "lock:broken",
        () => (fenced = dest.dead.has(`/locks/00000000000000000000000000000001.hold ${dead.token}`)),
      );
      await world.wait(680);
      expect(state.kind).toBe("held");
      expect(fenced).toBe(true);
    });

    it("leaves it alone while a writer is alive there", async () => {
      dest.writers.add("/locks/00000000000000000000000000000001.hold");
      const { state, events } = world.start(
        { ...asBlock, targets: [buildTarget(endpoint)] },
        { hosts: [world.backup, world.local, dest] },
      );
      await world.wait(1000);
      expect(state.kind).toBe("waiting");
      expect(dest.dead.size).toBe(0);
      expect(events.of("lock:spared")).toMatchObject([{ cause: "in-use" }]);
      dest.writers.clear();
      await world.wait(10);
      expect(state.kind).toBe("held");
    });

    describe("and another on yet another host", () => {
      const path2 = "/locks/00000000000000000000000000000002.hold";
      const other = remoteLock("other", "/locks/any");
      const targets = [destination, other].map((lock) =>
        buildTarget(lock.type === "remote" ? lock.endpoint : undefined),
      );
      let second: MemoryLockHost;
      beforeEach(() => {
        second = new MemoryLockHost("other", world.clock);
        const several = { ...fence, others: [{ host: "other", path: path2 }] };
        world.backup.write(path, lockContent({ ...dead, fence: several }));
      });
      const start = (known = targets) =>
        world.start({ ...asBlock, targets: known }, { hosts: [world.backup, world.local, dest, second] });

      it("breaks the lock when the token is dead on both", async () => {
        const { state } = start();
        await world.wait(680);
        expect(state.kind).toBe("held");
        expect([...dest.dead, ...second.dead]).toEqual([`${fence.path} ${dead.token}`, `${path2} ${dead.token}`]);
      });

      it("leaves it, and the token, alone while a writer is alive on one", async () => {
        second.writers.add(path2);
        const { state, events } = start();
        await world.wait(1000);
        expect(state.kind).toBe("waiting");
        expect([...dest.dead, ...second.dead]).toEqual([]);
        expect(events.of("lock:spared")).toMatchObject([{ cause: "in-use" }]);
        second.writers.clear();
        await world.wait(10);
        expect(state.kind).toBe("held");
      });

      it.each([
        ["does not answer", true, "unknown", /other:\/locks\/0{31}2\.hold/],
        ["is one that the configuration does not know", false, "unsupported", /another of its hold locks is on other/],
      ])("leaves it alone, and says so, when one of them %s", async (_, knows, cause, detail) => {
        second.silent = true;
        const { state, events } = start(knows ? targets : targets.slice(0, 1));
        await world.wait(1000);
        expect(state.kind).toBe("waiting");
        expect(dest.dead.size).toBe(0);
        expect(events.of("lock:spared")).toMatchObject([{ cause, detail: expect.stringMatching(detail) }]);
      });
    });

    it.each([
      ["does not answer", { silent: true, knows: true }, "unknown", /hold lock dest:\/locks\/0{31}1\.hold/],
      ["is one that the configuration does not know", { silent: false, knows: false }, "unsupported", /is on dest/],
    ])("leaves it alone, and says so, when that host %s", async (_, { silent, knows }, cause, detail) => {
      dest.silent = silent;
      const { state, events } = world.start(
        { ...asBlock, targets: [buildTarget(knows ? endpoint : undefined)] },
        { hosts: [world.backup, world.local, dest] },
      );
      await world.wait(1000);
      expect(state.kind).toBe("waiting");
      expect(events.of("lock:spared")).toMatchObject([{ cause, detail: expect.stringMatching(detail) }]);
      expect(world.backup.files.has(path)).toBe(true);
    });
  });
});
