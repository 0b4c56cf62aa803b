import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import { defaultLease } from "../../../../src/config/resolve-lease.ts";
import type { Job, LockFile, LockLease } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

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
  const asOwn: Partial<Job> = { lockFiles: [theirs] };
  /** Lets the time pass that may be needed: ttl, window, and a look. */
  const wait = (count: number) => clock.advance(seconds(count));

  it.each([
    ["in blocks_on", asBlock],
    ["in lock_files", asOwn],
    ["in both", { ...asBlock, ...asOwn }],
  ])("breaks it %s within ttl and window, moves it aside, and goes on", async (_, job) => {
    backup.write(path, lockContent(dead));
    const { state, events } = start(job);
    await wait(600);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    await wait(120);
    expect(state.kind).toBe("held");
    expect(backup.files.get(`${path}.broken.${dead.token}`)).toMatchObject({ content: lockContent(dead) });
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
    backup.write(path, lockContent(dead));
    await wait(5000);
    const { state } = start(asBlock);
    await wait(655);
    expect(state.kind).toBe("waiting");
    await wait(15);
    expect(state.kind).toBe("held");
  });

  it("breaks a dead owner's lock on its own path while it waits for somebody alive", async () => {
    backup.write(path, lockContent(dead));
    backup.write("/locks/live", lockContent({ ...dead, token: "token-of-a-live-owner-1" }));
    const { state, events } = start({ ...asOwn, blocksOn: [blockOn(remoteLock("backup", "/locks/live"))] });
    for (let beat = 0; beat < 24; beat += 1) {
      await wait(29);
      backup.beat("/locks/live", "token-of-a-live-owner-1");
    }
    expect(events.of("lock:broken")).toMatchObject([{ token: dead.token }]);
    backup.files.delete("/locks/live");
    await wait(15);
    expect(state.kind).toBe("held");
  });

  it("watches on while another host does not answer", async () => {
    backup.write(path, lockContent(dead));
    local.silent = true;
    const { events } = start({ ...asBlock, lockFiles: [{ type: "local", path: "/locks/mine" }] });
    await wait(730);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it("watches on in the pause after an attempt that failed", async () => {
    backup.write(path, lockContent(dead));
    const owners = { isDead: () => Promise.resolve(false) };
    const timings = { backoffBaseMs: 60_000 };
    const { locks, events } = createDirector({ hosts: [backup], clock, owners, timings, random: () => 0.99 });
    void locks.claim({ job: buildJob(asOwn), runId: "run", signal: new AbortController().signal });
    await wait(0);
    expect(events.of("job:blocked")).toHaveLength(1);
    await wait(672);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it("does not tell of every look that is only for the watch", async () => {
    backup.write(path, lockContent(dead));
    const { events } = start(asBlock);
    await wait(600);
    expect(events.of("job:blocked").length).toBeLessThan(15);
  });

  it("leaves a lock alone whose owner gives signs of life, for as long as it does", async () => {
    backup.write(path, lockContent({ ...dead, hb: 30 }));
    const { state, events } = start(asBlock);
    for (let beat = 0; beat < 100; beat += 1) {
      await wait(29);
      backup.beat(path, dead.token);
    }
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    expect(backup.operations).toBeLessThan(2900 / 8);
  });

  it("leaves the lock alone while a writer at its destination is alive, and says so once", async () => {
    backup.write(path, lockContent(dead));
    backup.writers.add(`${path}.hold`);
    const { state, events } = start(asBlock);
    await wait(3000);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:spared")).toMatchObject([{ token: dead.token, cause: "in-use" }]);
    backup.writers.clear();
    await wait(10);
    expect(state.kind).toBe("held");
  });

  it.each([
    ["a lock without a lease, as the version before wrote it", lockContent({ ...dead, hb: 0, ttl: 0 }), {}],
    ["a lock of the Python original", "1234\n", {}],
    ["an empty file", "", {}],
    ["a lock of a later version", lockContent(dead).replace('"v":1', '"v":2'), {}],
    ["any lock when stale ones are not to be broken", lockContent(dead), { breakStale: false }],
  ])("never breaks %s", async (_, content, lease) => {
    backup.write(path, content);
    const { state, events } = start(asBlock, { lease });
    await wait(200_000);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:broken")).toEqual([]);
    expect([...backup.files.keys()]).toEqual([path]);
  });

  it("tells of a foreign lock once, and again when it is another one", async () => {
    backup.write(path, "1234\n");
    await wait(100);
    const { events } = start(asBlock);
    await wait(1000);
    expect(events.of("lock:foreign")).toMatchObject([{ place: { path }, owner: "1234", ageSeconds: 100 }]);
    backup.write(path, "1234\n");
    await wait(1000);
    expect(events.of("lock:foreign")).toHaveLength(2);
  });

  it.each(["1234\n", "", lockContent(dead).replace('"v":1', '"v":2')])(
    "breaks a foreign lock %j when it is older than the operator allows",
    async (content) => {
      backup.write(path, content);
      const lock: LockFile = { ...theirs, foreignStaleAfterMs: seconds(3600) };
      const { state, events } = start({ blocksOn: [blockOn(lock)] });
      await wait(3600);
      expect(state.kind).toBe("waiting");
      await wait(60);
      expect(state.kind).toBe("held");
      expect(events.of("lock:broken")).toMatchObject([{ token: "", place: { path } }]);
    },
  );

  it("breaks at once what a dead process on this machine left here, and nothing elsewhere", async () => {
    for (const host of [backup, local]) host.write(path, lockContent(dead));
    const here = start({ blocksOn: [blockOn({ type: "local", path })] }, { isDead: true });
    await wait(0);
    expect(here.state).toEqual({ kind: "held", after: 0 });
    expect(here.events.of("lock:broken")).toMatchObject([{ because: expect.stringContaining("is dead") }]);
    const elsewhere = start(asBlock, { isDead: true });
    await wait(60);
    expect(elsewhere.state.kind).toBe("waiting");
  });

  it("does not break at once while a writer lives, without a lease, or when it is forbidden", async () => {
    const jobHere = { blocksOn: [blockOn({ type: "local", path })] };
    local.write(path, lockContent(dead));
    local.writers.add(`${path}.hold`);
    const written = start(jobHere, { isDead: true });
    const forbidden = start(jobHere, { isDead: true, lease: { breakStale: false } });
    await wait(60);
    expect([written.state.kind, forbidden.state.kind]).toEqual(["waiting", "waiting"]);
    local.writers.clear();
    local.write(path, lockContent({ ...dead, ttl: 0 }));
    await wait(60);
    expect([written.state.kind, forbidden.state.kind]).toEqual(["waiting", "waiting"]);
  });

  it("does not count the time that this machine slept", async () => {
    backup.write(path, lockContent(dead));
    const { state, events } = start(asBlock);
    await wait(50);
    clock.suspend(seconds(3600));
    await wait(640);
    expect(events.of("lock:broken")).toEqual([]);
    await wait(40);
    expect(state.kind).toBe("held");
  });

  it("begins to watch anew after a time without answers", async () => {
    backup.write(path, lockContent(dead));
    const { events } = start(asBlock);
    await wait(100);
    backup.silent = true;
    await wait(60);
    backup.silent = false;
    await wait(640);
    expect(events.of("lock:broken")).toEqual([]);
    await wait(60);
    expect(events.of("lock:broken")).toHaveLength(1);
  });

  it.each([31_536_000_000, -31_536_000_000])(
    "does not break a live lock because its host's clock jumped (%d ms), but does a dead one",
    async (jump) => {
      backup.write(path, lockContent(dead));
      const { state, events } = start(asBlock);
      for (let beat = 0; beat < 60; beat += 1) {
        await wait(29);
        if (beat === 10) backup.clockOffsetMs = jump;
        backup.beat(path, dead.token);
      }
      expect(events.of("lock:broken")).toEqual([]);
      backup.clockOffsetMs = 0;
      await wait(660 + 4 * 60);
      expect(state.kind).toBe("held");
    },
  );

  it("is not fooled by a breaking that got no answer: it looks again", async () => {
    backup.write(path, lockContent(dead));
    backup.fault = ({ kind }) => (kind === "break" ? "after" : undefined);
    const { state } = start(asBlock);
    await wait(720);
    expect(state.kind).toBe("held");
  });

  it("can be stopped while it breaks", async () => {
    backup.write(path, lockContent(dead));
    backup.fault = ({ kind }) => (kind === "break" ? "before" : undefined);
    const { state, signal } = start(asBlock);
    await wait(675);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await wait(0);
    expect(state.kind).toBe("cancelled");
  });

  it("has no privilege over others that wait: one breaks, one gets it, all get their turn", async () => {
    backup.write(path, lockContent(dead));
    const waiting = Array.from({ length: 5 }, () => start(asOwn));
    const order: number[] = [];
    waiting.forEach(({ result }, index) => {
      void result.then(async (settled) => {
        if (settled.kind !== "held") return;
        order.push(index);
        await settled.held.release();
      });
    });
    await wait(1200);
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(waiting.flatMap(({ events }) => events.of("lock:broken"))).toHaveLength(1);
  });

  it("breaks a claim whose owner died while it claimed, after the ttl of a claim", async () => {
    backup.write(path, lockContent({ ...dead, state: "claim", hb: 10, ttl: 120, rank: "zzzz" }));
    const { state } = start(asBlock);
    await wait(121);
    expect(state.kind).toBe("waiting");
    await wait(130);
    expect(state.kind).toBe("held");
  });
});
