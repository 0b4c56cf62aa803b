import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import { lockContent } from "../../../support/lock-fixture.ts";
import { afterCopy, createHoldWorld, type HoldWorld } from "./hold-locks-fixture.ts";

describe("guarded locks", () => {
  let world: HoldWorld;
  beforeEach(() => void (world = createHoldWorld()));

  it("hand the writer the hold file, the lock file and the token that is in it", async () => {
    const { hold, events } = world.start();
    const fencing = (await hold()).fencingOf("backup");
    const token = events.of("lock:acquired")[0]?.token;
    expect(fencing).toEqual({ kind: "fenced", holds: [{ hold: "/locks/a.hold", lock: "/locks/a", token }] });
    expect(events.of("job:fencing")).toMatchObject([{ jobId: "job", fencing: "fenced", reason: null }]);
    const entry = world.backup.files.get("/locks/a");
    expect(typeof entry === "object" && entry.content).toContain('"hold":true');
  });

  it("run unfenced, and say why, where the host says that there can be no hold lock", async () => {
    const { hold, events } = world.start({ lockFiles: [{ type: "local", path: "/locks/x" }], holdDir: "/missing" });
    expect((await hold()).fencingOf("backup")).toEqual({
      kind: "unfenced",
      reason: expect.stringContaining("directory does not"),
    });
    expect(events.of("job:fencing")).toMatchObject([
      { fencing: "unfenced", reason: expect.stringMatching(/^\/missing\//) },
    ]);
    const entry = world.local.files.get("/locks/x");
    expect(typeof entry === "object" && entry.content).toContain('"hold":false');
  });

  it("fail a job that requires the hold lock there, before anything is locked", async () => {
    const { claim } = world.start({
      lockFiles: [{ type: "local", path: "/locks/x" }],
      holdDir: "/missing",
      hold: "required",
    });
    await world.clock.advance(0);
    expect(await claim).toMatchObject({ kind: "failed", message: expect.stringContaining("/missing/") });
    expect(world.local.files.size).toBe(0);
  });

  it("are fenced all the same when the host gives no answer to that question", async () => {
    world.backup.fault = ({ kind }) => (kind === "holds" ? "before" : undefined);
    const { claim } = world.start({ hold: "required" });
    await world.clock.advance(20_000);
    const claimed = await claim;
    expect(claimed.kind === "held" && claimed.held.fencingOf("backup")).toMatchObject({ kind: "fenced" });
  });

  it("need no question, and say nothing, for a job without lock files or copies", async () => {
    const { hold } = world.start({ lockFiles: [] });
    expect((await hold()).fencingOf("backup")).toEqual({ kind: "none" });
    expect(world.backup.operations).toBe(0);
  });

  it("stop at once when the job is cancelled while a silent host is asked", async () => {
    world.backup.silent = true;
    const { claim, signal } = world.start();
    await world.clock.advance(1000);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await world.clock.advance(0);
    expect(await claim).toMatchObject({ kind: "cancelled", reason: { kind: "shutdown" } });
  });

  it("are given back only when the last writer at the destination is gone", async () => {
    const { hold, events } = world.start();
    const held = await hold();
    world.backup.writers.add("/locks/a.hold");
    const released = held.release(afterCopy);
    expect(await world.settlesIn(released, 30_000)).toBe(false);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.backup.writers.clear();
    expect(await world.settlesIn(released, 2000)).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it("are kept and reported when a writer stays for a minute, and given back when it goes", async () => {
    const { hold, events, log } = world.start();
    const held = await hold();
    world.backup.writers.add("/locks/a.hold");
    expect(await world.settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([
      { place: { path: "/locks/a" }, detail: expect.stringContaining("a writer is still alive at the destination") },
    ]);
    expect(log.messages("error")).toHaveLength(1);
    await world.clock.advance(600_000);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    expect(log.messages("error")).toHaveLength(1);
    world.backup.writers.clear();
    await world.clock.advance(5000);
    expect(world.backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:released")).toHaveLength(1);
  });

  it("are kept while nobody can say whether a writer lives", async () => {
    const { hold } = world.start();
    const held = await hold();
    world.backup.fault = ({ kind }) => (kind === "holds" ? "refused" : undefined);
    expect(await world.settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.backup.fault = () => undefined;
    await world.clock.advance(5000);
    expect(world.backup.files.has("/locks/a")).toBe(false);
  });

  it("are kept while a process lives that could not be killed, but not for a stranger with its number", async () => {
    const { hold, events } = world.start({ hold: "off" });
    const held = await hold();
    world.alive.set(77, 5000);
    const released = held.release({ survivors: [77], atTargets: [] });
    expect(await world.settlesIn(released, 60_000)).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([{ detail: "processes 77 cannot be killed and may still write" }]);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.alive.set(77, 9000);
    await world.clock.advance(5000);
    expect(world.backup.files.has("/locks/a")).toBe(false);
  });

  it("wait only a moment more for writers when the director is in a hurry", async () => {
    const { hold, events } = world.start();
    const held = await hold();
    world.backup.writers.add("/locks/a.hold");
    const released = held.release(afterCopy);
    await world.clock.advance(1000);
    world.hurry.abort();
    expect(await world.settlesIn(released, 5000)).toBe(true);
    expect(events.of("lock:stuck")).toHaveLength(1);
  });

  it("stay when the director ends while a writer lives", async () => {
    const { hold, locks } = world.start();
    const held = await hold();
    world.backup.writers.add("/locks/a.hold");
    void held.release(afterCopy);
    await world.clock.advance(60_000);
    expect(await world.settlesIn(locks.close(), 1000)).toBe(true);
    world.backup.writers.clear();
    await world.clock.advance(600_000);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it("are given back at once when no writer of the job was let in, whoever writes there", async () => {
    const { hold } = world.start();
    const held = await hold();
    world.backup.writers.add("/locks/a.hold");
    expect(await world.settlesIn(held.release({ survivors: [], atTargets: [] }), 0)).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(false);
  });

  it("wait again when a writer came in between the look and the release", async () => {
    const { hold, events } = world.start();
    const held = await hold();
    world.backup.fault = ({ kind }) => {
      if (kind === "release" && events.of("job:finished").length === 0) world.backup.writers.add("/locks/a.hold");
      return undefined;
    };
    const released = held.release(afterCopy);
    expect(await world.settlesIn(released, 5000)).toBe(false);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.backup.fault = () => undefined;
    world.backup.writers.clear();
    expect(await world.settlesIn(released, 2000)).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(false);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it("are given back once, however often that is asked for", async () => {
    const { hold, events } = world.start();
    const held = await hold();
    await Promise.all([held.release(afterCopy), held.release(afterCopy)]);
    expect(events.of("lock:released")).toHaveLength(1);
  });

  it("leave a lock alone that somebody else has by now", async () => {
    const { hold } = world.start();
    const held = await hold();
    world.backup.write("/locks/a", lockContent());
    await held.release(afterCopy);
    expect(world.backup.files.has("/locks/a")).toBe(true);
  });

  it("write down the process groups of children with their start", async () => {
    const { hold, spawned } = world.start();
    const held = await hold();
    world.alive.set(500, 42);
    held.spawned(500);
    held.spawned(501);
    expect(spawned).toEqual([{ id: 500, start: 42 }]);
  });
});
