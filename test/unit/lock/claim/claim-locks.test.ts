import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import type { Job } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

describe("claiming locks", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let local: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    local = new MemoryLockHost("local", clock);
  });

  const start = (overrides: Partial<Job>, random: () => number = () => 0.5) => {
    const director = createDirector({ hosts: [backup, local], clock, random });
    const signal = new AbortController();
    const state = { kind: "waiting" };
    const result = director.locks.claim({ job: buildJob(overrides), runId: "run", signal: signal.signal });
    void result.then((settled) => (state.kind = settled.kind));
    return { ...director, signal, state, result };
  };
  const onBackup = (name: string) => remoteLock("backup", `/locks/${name}`);
  const here = (name: string) => ({ type: "local", path: `/locks/${name}` }) as const;

  it("takes all locks, each file once, in one order for everybody", async () => {
    const { result, events } = start({ lockFiles: [here("z"), onBackup("b"), onBackup("a"), onBackup("b")] });
    const settled = await result;
    expect(settled.kind === "held" && settled.held.places).toEqual([
      { host: "backup", path: "/locks/a" },
      { host: "backup", path: "/locks/b" },
      { host: null, path: "/locks/z" },
    ]);
    expect(events.of("lock:acquired").map(({ place }) => place.path)).toEqual(["/locks/a", "/locks/b", "/locks/z"]);
    expect(backup.operations).toBe(1);
  });

  it("writes the owner's process id first and a record with token, job and run second", async () => {
    await start({ lockFiles: [onBackup("a")] }).result;
    const entry = backup.files.get("/locks/a");
    const lines = typeof entry === "object" ? entry.content.split("\n") : [];
    expect(lines[0]).toBe("4321");
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({
      v: 1,
      token: expect.stringMatching(/^[\w-]{22}$/),
      rank: expect.stringMatching(/^ffff/),
      owner: { name: "director", pid: 4321 },
      job: "job",
      run: "run",
      state: "held",
      hb: 30,
      ttl: 600,
      hold: false,
    });
  });

  it("needs two trips for look, claim, second look and release when all files are on one host", async () => {
    const { result } = start({ lockFiles: [onBackup("a")], blocksOn: [blockOn(onBackup("b"))] });
    const settled = await result;
    if (settled.kind === "held") await settled.held.release();
    expect(backup.operations).toBe(2);
    expect(backup.files.size).toBe(0);
  });

  it("releases newest first, and tells", async () => {
    const { result, events } = start({ lockFiles: [here("z"), onBackup("a")] });
    const settled = await result;
    if (settled.kind === "held") await Promise.all([settled.held.release(), settled.held.release()]);
    expect(events.of("lock:released").map(({ place }) => place.path)).toEqual(["/locks/z", "/locks/a"]);
    expect([backup.files.size, local.files.size]).toEqual([0, 0]);
  });

  it("does not block itself by a file that is in lock_files and in blocks_on", async () => {
    const { result } = start({ lockFiles: [onBackup("a")], blocksOn: [blockOn(onBackup("a"))] });
    expect((await result).kind).toBe("held");
  });

  it("waits for such a file like for any other while somebody else holds it", async () => {
    backup.write("/locks/a", lockContent());
    const { state } = start({ lockFiles: [onBackup("a")], blocksOn: [blockOn(onBackup("a"))] });
    await clock.advance(30_000);
    expect(state.kind).toBe("waiting");
    backup.files.delete("/locks/a");
    await clock.advance(10_000);
    expect(state.kind).toBe("held");
  });

  it("waits with growing pauses for an own lock that another holds, holding nothing", async () => {
    backup.write("/locks/b", lockContent());
    const { state, events } = start({ lockFiles: [onBackup("a"), onBackup("b")] });
    await clock.advance(0);
    expect(events.of("lock:withdrawn")).toMatchObject([
      { place: { path: "/locks/a" }, because: expect.stringContaining("/locks/b held by job their-job") },
    ]);
    await clock.advance(600_000);
    expect(state.kind).toBe("waiting");
    expect([...backup.files.keys()]).toEqual(["/locks/b"]);
    expect(events.of("lock:acquired")).toHaveLength(1);
    backup.files.delete("/locks/b");
    await clock.advance(60_000);
    expect(state.kind).toBe("held");
  });

  it("withdraws when the second look finds a block that the first did not", async () => {
    const { state, events } = start({ lockFiles: [onBackup("mine")], blocksOn: [blockOn(here("theirs"))] });
    local.fault = ({ number }) => {
      if (number === 2) local.write("/locks/theirs", lockContent({ rank: "0000" }));
      return undefined;
    };
    await clock.advance(0);
    expect(events.names()).toEqual(["lock:acquired", "lock:withdrawn", "job:blocked"]);
    expect(backup.files.size).toBe(0);
    expect(state.kind).toBe("waiting");
    local.files.delete("/locks/theirs");
    await clock.advance(60_000);
    expect(state.kind).toBe("held");
  });

  it("withdraws when the second look gets no answer", async () => {
    const { events } = start({ lockFiles: [onBackup("mine")], blocksOn: [blockOn(here("theirs"))] });
    local.fault = ({ number }) => (number === 2 ? "before" : undefined);
    await clock.advance(20_000);
    expect(events.of("lock:withdrawn")).toHaveLength(1);
    expect(events.of("job:blocked")).toMatchObject([{ state: "unknown" }]);
    expect(backup.files.size).toBe(0);
  });

  it("gives a young claim of lower standing time to go, and goes on when it is gone", async () => {
    const { state, events } = start({ lockFiles: [onBackup("mine")], blocksOn: [blockOn(here("theirs"))] });
    local.fault = ({ number }) => {
      if (number === 2) local.write("/locks/theirs", lockContent({ rank: "zzzz", state: "claim" }));
      return undefined;
    };
    await clock.advance(2500);
    expect(state.kind).toBe("waiting");
    expect(backup.files.size).toBe(1);
    local.files.delete("/locks/theirs");
    await clock.advance(1000);
    expect(state.kind).toBe("held");
    expect(events.of("lock:withdrawn")).toEqual([]);
  });

  it.each([
    ["a held lock, whatever its rank", { rank: "zzzz", state: "held" }],
    ["a claim of higher standing", { rank: "0000", state: "claim" }],
  ] as const)("gives way at once to %s", async (_, theirs) => {
    const { events } = start({ lockFiles: [onBackup("mine")], blocksOn: [blockOn(here("theirs"))] });
    local.fault = ({ number }) => {
      if (number === 2) local.write("/locks/theirs", lockContent(theirs));
      return undefined;
    };
    await clock.advance(0);
    expect(events.of("lock:withdrawn")).toHaveLength(1);
    expect(backup.files.size).toBe(0);
  });

  it("gives way in the end when a claim of lower standing does not go", async () => {
    const { events } = start({ lockFiles: [onBackup("mine")], blocksOn: [blockOn(here("theirs"))] });
    local.fault = ({ number }) => {
      if (number === 2) local.write("/locks/theirs", lockContent({ rank: "zzzz", state: "claim" }));
      return undefined;
    };
    // The other one may settle before it looks.
    await clock.advance(24_000);
    expect(events.of("lock:withdrawn")).toEqual([]);
    await clock.advance(2000);
    expect(events.of("lock:withdrawn")).toHaveLength(1);
    expect(backup.files.size).toBe(0);
  });

  it.each(["before", "late"] as const)(
    "asks for a lock once per token: an unanswered claim that is not there is withdrawn (%s)",
    async (fault) => {
      const asked: string[] = [];
      const acquire = backup.acquire.bind(backup);
      backup.acquire = (path, token, content) => {
        asked.push(token);
        return acquire(path, token, content);
      };
      let faults = 0;
      backup.fault = ({ kind }) => (kind === "acquire" && faults++ === 0 ? fault : undefined);
      const { state, events } = start({ lockFiles: [onBackup("a")] });
      await clock.advance(600_000);
      expect(state.kind).toBe("held");
      expect(new Set(asked).size).toBe(asked.length);
      expect(events.of("lock:acquired")).toHaveLength(1);
    },
  );

  it("fails when a lock can never be taken as things are, and gives the others back", async () => {
    const { result, events } = start({ lockFiles: [onBackup("a"), remoteLock("backup", "/missing/b")] });
    const settled = await result;
    expect(settled).toMatchObject({ kind: "failed" });
    expect(settled.kind === "failed" && settled.message).toMatch(/backup:\/missing\/b: .*directory does not exist/);
    expect(backup.files.size).toBe(0);
    expect(events.of("lock:withdrawn")).toHaveLength(1);
  });

  it("finds out by its token that a claim without an answer was carried out", async () => {
    backup.fault = ({ kind }) => (kind === "acquire" ? "after" : undefined);
    const { state, events } = start({ lockFiles: [onBackup("a")], blocksOn: [blockOn(here("b"))] });
    await clock.advance(20_000);
    expect(state.kind).toBe("held");
    expect(events.of("lock:acquired")).toHaveLength(1);
    expect(events.of("lock:withdrawn")).toEqual([]);
  });

  it("removes a claim that is carried out after everybody gave it up", async () => {
    backup.fault = ({ number }) => (number === 1 ? "late" : undefined);
    const { signal, state, log } = start({ lockFiles: [onBackup("a")] });
    await clock.advance(20_000);
    signal.abort(new AbortReason("cancelled", "enough"));
    await clock.advance(0);
    expect(state.kind).toBe("cancelled");
    await clock.advance(40_000);
    expect(backup.files.size).toBe(1);
    await clock.advance(60_000);
    expect(backup.files.size).toBe(0);
    expect(log.messages()).toContain("left-over lock is gone");
  });

  it("gives back what it has when it is stopped in the middle of a claim", async () => {
    backup.fault = ({ kind }) => (kind === "acquire" ? "after" : undefined);
    const { signal, state, events } = start({ lockFiles: [onBackup("a")] });
    await clock.advance(1000);
    expect(backup.files.size).toBe(1);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await clock.advance(0);
    expect(state.kind).toBe("cancelled");
    expect(backup.files.size).toBe(0);
    expect(events.of("lock:stuck")).toEqual([]);
  });

  it("does not wait for a dead host when it is stopped before anything was sent", async () => {
    backup.fault = () => "refused";
    const { signal, state } = start({ lockFiles: [onBackup("a")] });
    await clock.advance(90_000);
    expect(state.kind).toBe("waiting");
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await clock.advance(0);
    expect(state.kind).toBe("cancelled");
    expect(clock.pendingTimers).toBe(0);
  });
});
