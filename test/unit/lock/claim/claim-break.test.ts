import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import type { Job, LockFile } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { asBlock, type BreakWorld, createBreakWorld, dead, path, seconds, theirs } from "./claim-break-fixture.ts";

const asOwn: Partial<Job> = { lockFiles: [theirs] };

describe("a job that waits for a lock whose owner died", () => {
  let world: BreakWorld;
  beforeEach(() => void (world = createBreakWorld()));

  it.each([
    ["in blocks_on", asBlock],
    ["in lock_files", asOwn],
    ["in both", { ...asBlock, ...asOwn }],
  ])("breaks it %s within ttl and window, moves it aside, and goes on", async (_, job) => {
    world.backup.write(path, lockContent(dead));
    const { state, events } = world.start(job);
    await world.wait(600);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    await world.wait(120);
    expect(state.kind).toBe("held");
    expect(world.backup.files.get(`${path}.broken.${dead.token}`)).toMatchObject({ content: lockContent(dead) });
    expect(events.of("lock:broken")).toMatchObject([
      {
        jobId: "job",
        runId: "run",
        place: { host: "backup", path },
        token: dead.token,
        owner: expect.stringContaining("held by job their-job of other"),
        because: "it gave no sign of life for longer than its ttl, by the clock of this host",
      },
    ]);
    const [broken] = events.of("lock:broken");
    expect(broken?.ageSeconds).toBeGreaterThan(600);
    expect(broken?.observedMs).toBeGreaterThanOrEqual(seconds(660));
  });

  it("does not believe its host that it is old: it is watched from the first look on", async () => {
    world.backup.write(path, lockContent(dead));
    await world.wait(5000);
    const { state } = world.start(asBlock);
    await world.wait(655);
    expect(state.kind).toBe("waiting");
    await world.wait(15);
    expect(state.kind).toBe("held");
  });

  it("breaks a dead owner's lock on its own path while it waits for somebody alive", async () => {
    world.backup.write(path, lockContent(dead));
    world.backup.write("/locks/live", lockContent({ ...dead, token: "token-of-a-live-owner-1" }));
    const { state, events } = world.start({ ...asOwn, blocksOn: [blockOn(remoteLock("backup", "/locks/live"))] });
    for (let beat = 0; beat < 24; beat += 1) {
      await world.wait(29);
      world.backup.beat("/locks/live", "token-of-a-live-owner-1");
    }
    expect(events.of("lock:broken")).toMatchObject([{ token: dead.token }]);
    world.backup.files.delete("/locks/live");
    await world.wait(15);
    expect(state.kind).toBe("held");
  });

  it("watches on while another host does not answer", async () => {
    world.backup.write(path, lockContent(dead));
    world.local.silent = true;
    const { events } = world.start({ ...asBlock, lockFiles: [{ type: "local", path: "/locks/mine" }] });
    await world.wait(730);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it("watches on in the pause after an attempt that failed", async () => {
    world.backup.write(path, lockContent(dead));
    const owners = { isDead: () => Promise.resolve(false) };
    const timings = { backoffBaseMs: 60_000 };
    const { locks, events } = createDirector({
      hosts: [world.backup],
      clock: world.clock,
      owners,
      timings,
      random: () => 0.99,
    });
    void locks.claim({ job: buildJob(asOwn), runId: "run", signal: new AbortController().signal });
    await world.wait(0);
    expect(events.of("job:blocked")).toHaveLength(1);
    await world.wait(672);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it("does not tell of every look that is only for the watch", async () => {
    world.backup.write(path, lockContent(dead));
    const { events } = world.start(asBlock);
    await world.wait(600);
    expect(events.of("job:blocked").length).toBeLessThan(15);
  });

  it("leaves a lock alone whose owner gives signs of life, for as long as it does", async () => {
    world.backup.write(path, lockContent({ ...dead, hb: 30 }));
    const { state, events } = world.start(asBlock);
    for (let beat = 0; beat < 100; beat += 1) {
      await world.wait(29);
      world.backup.beat(path, dead.token);
    }
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    expect(world.backup.operations).toBeLessThan(2900 / 8);
  });

  it("leaves the lock alone while a writer at its destination is alive, and says so once", async () => {
    world.backup.write(path, lockContent(dead));
    world.backup.writers.add(`${path}.hold`);
    const { state, events } = world.start(asBlock);
    await world.wait(3000);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:spared")).toMatchObject([{ token: dead.token, cause: "in-use" }]);
    world.backup.writers.clear();
    await world.wait(10);
    expect(state.kind).toBe("held");
  });

  it.each([
    ["a lock without a lease, as the version before wrote it", lockContent({ ...dead, hb: 0, ttl: 0 }), {}],
    ["a lock of the Python original", "1234\n", {}],
    ["an empty file", "", {}],
    ["a lock of a later version", lockContent(dead).replace('"v":1', '"v":2'), {}],
    ["any lock when stale ones are not to be broken", lockContent(dead), { breakStale: false }],
  ])("never breaks %s", async (_, content, lease) => {
    world.backup.write(path, content);
    const { state, events } = world.start(asBlock, { lease });
    await world.wait(200_000);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    expect([...world.backup.files.keys()]).toEqual([path]);
  });

  it("tells of a foreign lock once, and again when it is another one", async () => {
    world.backup.write(path, "1234\n");
    await world.wait(100);
    const { events } = world.start(asBlock);
    await world.wait(1000);
    expect(events.of("lock:foreign")).toMatchObject([{ place: { path }, owner: "1234", ageSeconds: 100 }]);
    world.backup.write(path, "1234\n");
    await world.wait(1000);
    expect(events.of("lock:foreign")).toHaveLength(2);
  });

  it.each(["1234\n", "", lockContent(dead).replace('"v":1', '"v":2')])(
    "breaks a foreign lock %j when it is older than the operator allows",
    async (content) => {
      world.backup.write(path, content);
      const lock: LockFile = { ...theirs, foreignStaleAfterMs: seconds(3600) };
      const { state, events } = world.start({ blocksOn: [blockOn(lock)] });
      await world.wait(3600);
      expect(state.kind).toBe("waiting");
      await world.wait(60);
      expect(state.kind).toBe("held");
      expect(events.of("lock:broken")).toMatchObject([{ token: "", place: { path } }]);
    },
  );

  it("breaks at once what a dead process on this machine left here, and nothing elsewhere", async () => {
    for (const host of [world.backup, world.local]) host.write(path, lockContent(dead));
    const here = world.start({ blocksOn: [blockOn({ type: "local", path })] }, { isDead: true });
    await world.wait(0);
    expect(here.state).toEqual({ kind: "held", after: 0 });
    expect(here.events.of("lock:broken")).toMatchObject([{ because: expect.stringContaining("is dead") }]);
    const elsewhere = world.start(asBlock, { isDead: true });
    await world.wait(60);
    expect(elsewhere.state.kind).toBe("waiting");
  });

  it("does not break at once while a writer lives, without a lease, or when it is forbidden", async () => {
    const jobHere = { blocksOn: [blockOn({ type: "local", path })] };
    world.local.write(path, lockContent(dead));
    world.local.writers.add(`${path}.hold`);
    const written = world.start(jobHere, { isDead: true });
    const forbidden = world.start(jobHere, { isDead: true, lease: { breakStale: false } });
    await world.wait(60);
    expect([written.state.kind, forbidden.state.kind]).toEqual(["waiting", "waiting"]);
    world.local.writers.clear();
    world.local.write(path, lockContent({ ...dead, ttl: 0 }));
    await world.wait(60);
    expect([written.state.kind, forbidden.state.kind]).toEqual(["waiting", "waiting"]);
  });

  it("does not count the time that this machine slept", async () => {
    world.backup.write(path, lockContent(dead));
    const { state, events } = world.start(asBlock);
    await world.wait(50);
    world.clock.suspend(seconds(3600));
    await world.wait(640);
    expect(events.of("lock:broken")).toEqual([]);
    await world.wait(40);
    expect(state.kind).toBe("held");
  });

  it("begins to watch anew after a time without answers", async () => {
    world.backup.write(path, lockContent(dead));
    const { events } = world.start(asBlock);
    await world.wait(100);
    world.backup.silent = true;
    await world.wait(60);
    world.backup.silent = false;
    await world.wait(640);
    expect(events.of("lock:broken")).toEqual([]);
    await world.wait(60);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it.each([31_536_000_000, -31_536_000_000])(
    "does not break a live lock because its host's clock jumped (%d ms), but does a dead one",
    async (jump) => {
      world.backup.write(path, lockContent(dead));
      const { state, events } = world.start(asBlock);
      for (let beat = 0; beat < 60; beat += 1) {
        await world.wait(29);
        if (beat === 10) world.backup.clockOffsetMs = jump;
        world.backup.beat(path, dead.token);
      }
      expect(events.of("lock:broken")).toEqual([]);
      world.backup.clockOffsetMs = 0;
      await world.wait(660 + 4 * 60);
      expect(state.kind).toBe("held");
    },
  );

  it("is not fooled by a breaking that got no answer: it looks again", async () => {
    world.backup.write(path, lockContent(dead));
    world.backup.fault = ({ kind }) => (kind === "break" ? "after" : undefined);
    const { state } = world.start(asBlock);
    await world.wait(720);
    expect(state.kind).toBe("held");
  });

  it("can be stopped while it breaks", async () => {
    world.backup.write(path, lockContent(dead));
    world.backup.fault = ({ kind }) => (kind === "break" ? "before" : undefined);
    const { state, signal } = world.start(asBlock);
    await world.wait(675);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await world.wait(0);
    expect(state.kind).toBe("cancelled");
  });

  it("has no privilege over others that wait: one breaks, one gets it, all get their turn", async () => {
    world.backup.write(path, lockContent(dead));
    const waiting = Array.from({ length: 5 }, () => world.start(asOwn));
    const order: number[] = [];
    waiting.forEach(({ result }, index) => {
      void result.then(async (settled) => {
        if (settled.kind !== "held") return;
        order.push(index);
        await settled.held.release();
      });
    });
    await world.wait(1200);
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(waiting.flatMap(({ events }) => events.of("lock:broken"))).toHaveLength(1);
  });

  it("breaks a claim whose owner died while it claimed, after the ttl of a claim", async () => {
    world.backup.write(path, lockContent({ ...dead, state: "claim", hb: 10, ttl: 120, rank: "zzzz" }));
    const { state } = world.start(asBlock);
    await world.wait(121);
    expect(state.kind).toBe("waiting");
    await world.wait(130);
    expect(state.kind).toBe("held");
  });
});
