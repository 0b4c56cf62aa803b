import { beforeEach, describe, expect, it } from "vitest";
import { defaultLease } from "../../../src/config/resolve-lease.ts";
import type { Job, LockLease } from "../../../src/config/resolved.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../support/memory-lock-host.ts";

const seconds = (count: number) => count * 1000;
const path = "/locks/theirs";
const dead = { token: "dead-owner-token-0123456", hb: 30, ttl: 600, hold: true };

describe("a job that waits for a lock whose owner died", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let local: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    local = new MemoryLockHost("local", clock);
  });

  const start = (
    job: Partial<Job>,
    options: { lease?: Partial<LockLease>; isDead?: boolean; hosts?: readonly MemoryLockHost[] } = {},
  ) => {
    const owners = { isDead: () => Promise.resolve(options.isDead ?? false) };
    const director = createDirector({ hosts: options.hosts ?? [backup, local], clock, owners });
    const signal = new AbortController();
    const began = clock.monotonic();
    const state = { kind: "waiting", after: Number.NaN };
    const request = { job: buildJob({ lease: { ...defaultLease, ...options.lease }, ...job }), runId: "run" };
    const result = director.locks.claim({ ...request, signal: signal.signal }).then((settled) => {
      state.kind = settled.kind;
      state.after = (clock.monotonic() - began) / 1000;
      return settled;
    });
    return { ...director, state, result, signal };
  };
  const theirs = remoteLock("backup", path);
  const asBlock: Partial<Job> = { blocksOn: [blockOn(theirs, { waitTimeMs: seconds(60) })] };
  /** Lets the time pass that may be needed: ttl, window, and a look. */
  const wait = (count: number) => clock.advance(seconds(count));

  describe("whose hold lock is on another host than the lock", () => {
    const fence = { host: "dest", path: "/locks/x.hold" };
    const destination = remoteLock("dest", "/locks/any");
    const endpoint = destination.type === "remote" ? destination.endpoint : undefined;
    let dest: MemoryLockHost;
    beforeEach(() => {
      dest = new MemoryLockHost("dest", clock);
      backup.write(path, lockContent({ ...dead, fence }));
    });

    it("declares the token dead there first, and breaks then", async () => {
      const { state, events } = start({ ...asBlock, endpoint }, { hosts: [backup, local, dest] });
      let fenced: boolean | undefined;
      events.on("lock:broken", () => (fenced = dest.dead.has(`/locks/x.hold ${dead.token}`)));
      await wait(680);
      expect(state.kind).toBe("held");
      expect(fenced).toBe(true);
    });

    it("leaves it alone while a writer is alive there", async () => {
      dest.writers.add("/locks/x.hold");
      const { state, events } = start({ ...asBlock, endpoint }, { hosts: [backup, local, dest] });
      await wait(1000);
      expect(state.kind).toBe("waiting");
      expect(dest.dead.size).toBe(0);
      expect(events.of("lock:spared")).toMatchObject([{ cause: "in-use" }]);
      dest.writers.clear();
      await wait(10);
      expect(state.kind).toBe("held");
    });

    it.each([
      ["does not answer", { silent: true, knows: true }, "unknown", /hold lock dest:\/locks\/x\.hold/],
      ["is one that the configuration does not know", { silent: false, knows: false }, "unsupported", /is on dest/],
    ])("leaves it alone, and says so, when that host %s", async (_, { silent, knows }, cause, detail) => {
      dest.silent = silent;
      const { state, events } = start(
        { ...asBlock, endpoint: knows ? endpoint : undefined },
        { hosts: [backup, local, dest] },
      );
      await wait(1000);
      expect(state.kind).toBe("waiting");
      expect(events.of("lock:spared")).toMatchObject([{ cause, detail: expect.stringMatching(detail) }]);
      expect(backup.files.has(path)).toBe(true);
    });
  });
});
