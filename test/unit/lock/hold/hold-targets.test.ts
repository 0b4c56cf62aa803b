import { beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../../../src/config/resolved.ts";
import type { GuardedHold } from "../../../../src/lock/hold/hold-locks.ts";
import { buildTarget } from "../../../support/build-job.ts";
import { remoteLock } from "../../../support/lock-fixture.ts";
import { buildSync } from "../../../support/run-action.ts";
import { createHoldWorld, type HoldWorld } from "./hold-locks-fixture.ts";

const endpointOf = (host: string) => {
  const lock = remoteLock(host, "/locks/any");
  return lock.type === "remote" ? lock.endpoint : undefined;
};
/** A push to these hosts, its lock on the first of them. */
const pushTo = (hosts: readonly string[], overrides: Partial<Job> = {}): Partial<Job> => ({
  type: "remote",
  targets: hosts.map((host) => buildTarget(endpointOf(host))),
  lockFiles: [remoteLock("backup", "/locks/a")],
  holdDir: "/locks",
  actions: [buildSync({})],
  ...overrides,
});
const holdsOf = (held: GuardedHold, targetId: string) => {
  const fencing = held.fencingOf(targetId);
  if (fencing.kind !== "fenced") throw new Error(JSON.stringify(fencing));
  return fencing.holds;
};
const holdPathOf = (held: GuardedHold, targetId: string) => holdsOf(held, targetId)[0]?.hold ?? "";
const after = (...atTargets: string[]) => ({ survivors: [], atTargets });
const elsewhere = expect.stringMatching(/^\/locks\/[0-9a-f]{32}\.hold$/);

describe("guarded locks of a job with several targets", () => {
  let world: HoldWorld;
  beforeEach(() => void (world = createHoldWorld({ others: ["second", "third"] })));
  const isLocked = () => world.backup.files.has("/locks/a");

  it("hand each writer the hold files of its host, and say in the lock where tokens can be declared dead", async () => {
    const { hold, events, intents } = world.start(pushTo(["backup", "second", "third"]));
    const held = await hold();
    const token = events.of("lock:acquired")[0]?.token;
    expect(holdsOf(held, "backup")).toEqual([{ hold: "/locks/a.hold", lock: "/locks/a", token }]);
    const there = [{ hold: elsewhere, lock: undefined, token }];
    expect([holdsOf(held, "second"), holdsOf(held, "third")]).toEqual([there, there]);
    expect(events.of("job:fencing")).toMatchObject([{ fencing: "fenced", reason: null }]);
    const entry = world.backup.files.get("/locks/a");
    const content = typeof entry === "object" ? entry.content : "";
    const path = holdPathOf(held, "second");
    expect(content).toContain(`"fence":[{"host":"second","path":"${path}"},{"host":"third","path":"${path}"}]`);
    expect(intents[0]?.holds).toMatchObject([
      { at: { endpoint: { host: "backup" } }, paths: ["/locks/a.hold"] },
      { at: { endpoint: { host: "second" } }, paths: [path], fence: path },
      { at: { endpoint: { host: "third" } }, paths: [path], fence: path },
    ]);
  });

  it("are given back only when no writer lives at any target", async () => {
    const { hold, events } = world.start(pushTo(["backup", "second", "third"]));
    const held = await hold();
    const path = holdPathOf(held, "third");
    world.host("third").writers.add(path);
    const released = held.release(after("backup", "second", "third"));
    expect(await world.settlesIn(released, 30_000)).toBe(false);
    expect(isLocked()).toBe(true);
    world.host("third").writers.clear();
    expect(await world.settlesIn(released, 2000)).toBe(true);
    expect(isLocked()).toBe(false);
    const token = events.of("lock:acquired")[0]?.token;
    expect([...world.host("second").dead, ...world.host("third").dead]).toEqual([
      `${path} ${token}`,
      `${path} ${token}`,
    ]);
  });

  it("are kept while nobody can say so of one target, whatever the others say", async () => {
    const { hold, events } = world.start(pushTo(["backup", "second", "third"]));
    const held = await hold();
    world.host("second").silent = true;
    expect(await world.settlesIn(held.release(after("backup", "second", "third")), 70_000)).toBe(true);
    expect(events.of("lock:stuck")).toMatchObject([{ detail: expect.stringContaining("nobody can say") }]);
    await world.clock.advance(600_000);
    expect(isLocked()).toBe(true);
    world.host("second").silent = false;
    await world.clock.advance(60_000);
    expect(isLocked()).toBe(false);
  });

  it("are kept while the token cannot be declared dead at one target", async () => {
    const { hold } = world.start(pushTo(["backup", "second"]));
    const held = await hold();
    world.host("second").fault = ({ kind }) => (kind === "fence" ? "refused" : undefined);
    expect(await world.settlesIn(held.release(after("backup", "second")), 60_000)).toBe(true);
    expect(isLocked()).toBe(true);
    world.host("second").fault = () => undefined;
    await world.clock.advance(5000);
    expect(isLocked()).toBe(false);
  });

  it("wait for no target at which no writer was, so that a dead one keeps nobody's locks", async () => {
    const { hold } = world.start(pushTo(["backup", "second"]));
    const held = await hold();
    world.host("second").silent = true;
    expect(await world.settlesIn(held.release(after("backup")), 1000)).toBe(true);
    expect(isLocked()).toBe(false);
  });

  it("do not let a silent target keep the job waiting for long, and the next time even less", async () => {
    world.host("second").silent = true;
    const first = world.start(pushTo(["backup", "second"]));
    await world.clock.advance(5000);
    const claimed = await first.claim;
    expect(claimed.kind === "held" && claimed.held.fencingOf("second").kind).toBe("fenced");
    if (claimed.kind === "held") await claimed.held.release(after("backup"));
    const again = first.claimAgain();
    await world.clock.advance(1000);
    expect((await again).kind).toBe("held");
  });

  it("run the targets unfenced that cannot be fenced, fence the others, and say so in the lock", async () => {
    world.host("second").directories.clear();
    const { hold, events } = world.start(pushTo(["backup", "second"]));
    const held = await hold();
    expect(held.fencingOf("second")).toMatchObject({ kind: "unfenced" });
    expect(held.fencingOf("backup")).toMatchObject({ kind: "fenced" });
    expect(events.of("job:fencing")).toMatchObject([
      { fencing: "unfenced", reason: expect.stringMatching(/^second: \/locks\/.*directory does not exist/) },
    ]);
    const entry = world.backup.files.get("/locks/a");
    expect(typeof entry === "object" && entry.content).toContain('"hold":true,"unfenced":true');
  });

  it("refuse the whole job where hold is required and one target cannot be fenced", async () => {
    world.host("second").directories.clear();
    const { claim } = world.start(pushTo(["backup", "second"], { hold: "required" }));
    await world.clock.advance(0);
    expect(await claim).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^a hold lock is required and cannot be: second: \/locks\//),
    });
    expect(isLocked()).toBe(false);
  });

  it("run unfenced when a lock file has no room for so many hosts", async () => {
    const many = Array.from({ length: 40 }, (_, number) => `a-host-with-a-long-name-${number}`);
    world = createHoldWorld({ others: many });
    const held = await world.start(pushTo(["backup", ...many])).hold();
    expect(held.fencingOf("backup")).toEqual({ kind: "unfenced", reason: expect.stringContaining("40 hosts") });
  });

  describe("of which two are on one host", () => {
    const twins: Partial<Job> = pushTo([], {
      targets: [
        buildTarget(endpointOf("backup"), { id: "one", dest: "/srv/one" }),
        buildTarget(endpointOf("backup"), { id: "two", dest: "/srv/two" }),
        buildTarget(endpointOf("second")),
      ],
    });

    it("let their writers share the hold files, and give each one that is its own", async () => {
      const held = await world.start(twins).hold();
      const [one, two] = [holdsOf(held, "one"), holdsOf(held, "two")];
      expect(one).toMatchObject([
        { hold: "/locks/a.hold", lock: "/locks/a", shared: true },
        { hold: elsewhere, lock: undefined },
      ]);
      expect(one[1]?.shared).toBeUndefined();
      expect(two[0]).toEqual(one[0]);
      expect(two[1]?.hold).not.toBe(one[1]?.hold);
      expect(holdsOf(held, "second")[0]?.shared).toBeUndefined();
    });

    it("are given back only when the writers of both are gone", async () => {
      const held = await world.start(twins).hold();
      const own = holdsOf(held, "two")[1]?.hold ?? "";
      world.backup.writers.add(own);
      const released = held.release(after("one", "two"));
      expect(await world.settlesIn(released, 10_000)).toBe(false);
      world.backup.writers.delete(own);
      expect(await world.settlesIn(released, 2000)).toBe(true);
      expect(isLocked()).toBe(false);
    });
  });
});
