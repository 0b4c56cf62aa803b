import { beforeEach, describe, expect, it } from "vitest";
import { type HoldPlan, planHolds } from "../../../../src/lock/hold/hold-plan.ts";
import { buildJob, type JobDraft } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { memoryTransportPool, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { buildSync } from "../../../support/run-action.ts";

describe("which hold locks a job's writers take", () => {
  let plan: (overrides: JobDraft) => Promise<HoldPlan | undefined>;
  const backup = remoteLock("backup", "/locks/a");
  const endpoint = backup.type === "remote" ? backup.endpoint : undefined;
  const here = { type: "local", path: "/locks/h" } as const;

  beforeEach(() => {
    const clock = new FakeClock();
    const hosts = ["backup", "other", "local"].map((name) => new MemoryLockHost(name, clock));
    const pool = memoryTransportPool(hosts, clock);
    plan = async (overrides) => (await planHolds(buildJob({ actions: [buildSync({})], ...overrides }), pool))[0];
  });

  it("is the one beside the lock file when that lies where it writes: push", async () => {
    const push = { type: "remote", direction: "push", endpoint, lockFiles: [backup] } as const;
    expect(await plan(push)).toMatchObject({
      kind: "possible",
      site: { transport: { host: "backup" }, files: [{ hold: "/locks/a.hold", lock: "/locks/a" }] },
    });
  });

  it.each([{ type: "local" }, { type: "remote", direction: "pull", endpoint }] as const)(
    "is on this host when it writes here: %s",
    async (job) => {
      expect(await plan({ ...job, lockFiles: [here] })).toMatchObject({
        site: { transport: { host: null }, files: [{ hold: "/locks/h.hold", lock: "/locks/h" }] },
      });
    },
  );

  it("is in hold_dir of the host that is written when the lock lies elsewhere, the same for everybody", async () => {
    const lockFiles = [remoteLock("other", "/locks/a")];
    const push = await plan({ type: "remote", endpoint, lockFiles, holdDir: "/locks" });
    const local = await plan({ type: "local", lockFiles, holdDir: "/locks" });
    const fileOf = (made: typeof push) => (made?.kind === "possible" ? made.site.files[0] : undefined);
    expect(fileOf(push)).toEqual({ hold: expect.stringMatching(/^\/locks\/[0-9a-f]{32}\.hold$/), lock: undefined });
    expect(fileOf(local)).toEqual(fileOf(push));
    const another = await plan({ type: "local", lockFiles: [remoteLock("other", "/locks/b")], holdDir: "/locks" });
    expect(fileOf(another)).not.toEqual(fileOf(push));
  });

  it("is one for each lock file, each file once, in one order for everybody", async () => {
    const [a, b] = [remoteLock("backup", "/locks/a"), remoteLock("backup", "/locks/b")];
    const made = await plan({ type: "remote", endpoint, lockFiles: [b, here, a, b], holdDir: "/holds" });
    const paths = made?.kind === "possible" ? made.site.files.map(({ hold }) => hold) : [];
    expect(paths).toEqual(["/locks/a.hold", "/locks/b.hold", expect.stringMatching(/^\/holds\//)]);
  });

  it("is none when the job has no lock files or copies nothing", async () => {
    expect(await plan({ lockFiles: [] })).toEqual({ kind: "none" });
    expect(await plan({ lockFiles: [here], actions: buildJob().actions })).toEqual({ kind: "none" });
  });

  it("cannot be when it is switched off, or when a shell cannot hold so many", async () => {
    expect(await plan({ lockFiles: [here], hold: "off" })).toMatchObject({ kind: "impossible" });
    const many = Array.from({ length: 8 }, (_, number) => ({ type: "local", path: `/locks/${number}` }) as const);
    expect(await plan({ lockFiles: many })).toMatchObject({ kind: "impossible", reason: expect.stringContaining("8") });
  });
});
