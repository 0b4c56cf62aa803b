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
