import { beforeEach, describe, expect, it } from "vitest";
import { buildJob, type JobDraft } from "../../../support/build-job.ts";
import { remoteLock } from "../../../support/lock-fixture.ts";
import { afterCopy, createHoldWorld, type HoldWorld, pushJob, pushLock } from "./hold-locks-fixture.ts";

describe("guarded locks of which one is on another host than the one that is written", () => {
  let world: HoldWorld;
  beforeEach(() => void (world = createHoldWorld()));

  const there: JobDraft = { type: "local", endpoint: undefined, lockFiles: [pushLock], holdDir: "/locks" };
  const holdFile = async (claimed: ReturnType<HoldWorld["start"]>) => {
    const held = await claimed.hold();
    const fencing = held.fencingOf("local");
    const [claim] = fencing.kind === "fenced" ? fencing.holds : [];
    if (claim === undefined) throw new Error(fencing.kind);
    return { held, path: claim.hold, token: claim.token };
  };

  it("say in the lock where others can declare its token dead", async () => {
    const { path } = await holdFile(world.start(there));
    const entry = world.backup.files.get("/locks/a");
    expect(typeof entry === "object" && entry.content).toContain(`"fence":{"host":null,"path":"${path}"}`);
  });

  it("declare the token dead before the lock is given back", async () => {
    const { held, path, token } = await holdFile(world.start(there));
    let dead: boolean | undefined;
    world.backup.fault = ({ kind }) => {
      if (kind === "release") dead = world.local.dead.has(`${path} ${token}`);
      return undefined;
    };
    expect(await world.settlesIn(held.release(afterCopy), 0)).toBe(true);
    expect(dead).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(false);
  });

  it("stay while that cannot be done", async () => {
    const { held, path } = await holdFile(world.start(there));
    world.local.fault = ({ kind }) => (kind === "fence" ? "refused" : undefined);
    expect(await world.settlesIn(held.release(afterCopy), 60_000)).toBe(true);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.local.fault = () => undefined;
    world.local.writers.add(path);
    await world.clock.advance(10_000);
    expect(world.backup.files.has("/locks/a")).toBe(true);
    world.local.writers.clear();
    await world.clock.advance(5000);
    expect(world.backup.files.has("/locks/a")).toBe(false);
  });

  it("warn once of a lock that a reboot of its host takes away, and of no other", async () => {
    world.backup.fileSystem = world.local.fileSystem = "tmpfs";
    const claimed = world.start(there);
    const { held } = await holdFile(claimed);
    await held.release(afterCopy);
    const again = claimed.locks.claim({
      job: buildJob({ ...pushJob, ...there }),
      runId: "run",
      signal: new AbortController().signal,
    });
    await world.clock.advance(0);
    expect((await again).kind).toBe("held");
    expect(claimed.log.messages("warn")).toEqual([
      expect.stringContaining("third host is lost when that host is rebooted"),
    ]);
    const beside = world.start({ lockFiles: [remoteLock("backup", "/locks/b")] });
    await beside.hold();
    expect(beside.log.messages("warn")).toEqual([]);
  });

  it("run unfenced when the account may not write into that file", async () => {
    const { path } = await holdFile(world.start(there));
    world.local.readOnly.add(path);
    world.backup.files.clear();
    const { hold } = world.start(there);
    expect((await hold()).fencingOf("local")).toEqual({
      kind: "unfenced",
      reason: expect.stringContaining("may not write"),
    });
  });
});
