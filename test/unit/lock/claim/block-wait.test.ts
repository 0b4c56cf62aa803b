import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

const path = "/locks/theirs";
const theirs = remoteLock("backup", path);

describe("waiting for a block", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let signal: AbortController;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    signal = new AbortController();
  });

  /** Starts a claim of a job with these blocks and remembers when it was settled. */
  const start = (blocksOn: ReturnType<typeof blockOn>[], random: () => number = () => 0.5) => {
    const director = createDirector({ hosts: [backup], clock, random });
    const began = clock.monotonic();
    const job = buildJob({ blocksOn });
    const claim = { settledAfter: Number.NaN, kind: "waiting" };
    const result = director.locks.claim({ job, runId: "run", signal: signal.signal }).then((settled) => {
      claim.settledAfter = clock.monotonic() - began;
      claim.kind = settled.kind;
      return settled;
    });
    return { ...director, claim, result };
  };

  it("does no input or output for a job without locks and blocks", async () => {
    const { result, events } = start([]);
    const settled = await result;
    expect(settled).toMatchObject({ kind: "held", held: { places: [] } });
    expect(backup.operations).toBe(0);
    expect(events.events).toEqual([]);
  });

  it("goes on at once and silently when the block is absent", async () => {
    const { result, events } = start([blockOn(theirs)]);
    expect((await result).kind).toBe("held");
    expect(events.events).toEqual([]);
  });

  it("begins a wait at every look that finds it blocked, and says once that it is over", async () => {
    backup.write(path, lockContent());
    const { claim, events } = start([blockOn(theirs, { waitTimeMs: 10_000 })]);
    await clock.advance(25_000);
    expect(claim.kind).toBe("waiting");
    expect(events.of("job:blocked")).toHaveLength(3);
    expect(events.of("job:blocked")[0]).toMatchObject({
      jobId: "job",
      runId: "run",
      place: { host: "backup", path },
      state: "held",
      owner: "777",
    });
    backup.files.delete(path);
    await clock.advance(5000);
    expect(claim).toEqual({ kind: "held", settledAfter: 30_000 });
    expect(events.of("job:unblocked")).toMatchObject([{ outcome: "free", waitedMs: 30_000 }]);
  });

  it.each([0, 1 - Number.EPSILON])("spreads its looks by 20 %% at most (random %d)", async (random) => {
    backup.write(path, lockContent());
    start([blockOn(theirs, { waitTimeMs: 10_000 })], () => random);
    await clock.advance(0);
    const looks: number[] = [];
    backup.fault = () => void looks.push(clock.monotonic());
    await clock.advance(7999);
    expect(looks).toHaveLength(0);
    await clock.advance(4001);
    expect(looks).toHaveLength(1);
  });

  it("times out exactly when the timeout says, with a last look at the deadline", async () => {
    backup.write(path, lockContent());
    const looks: number[] = [];
    const began = clock.monotonic();
    backup.fault = () => void looks.push(clock.monotonic() - began);
    const { claim, result, events } = start([blockOn(theirs, { waitTimeMs: 10_000, timeoutMs: 25_000 })]);
    await clock.advance(24_999);
    expect(claim.kind).toBe("waiting");
    await clock.advance(1);
    expect(claim).toEqual({ kind: "timeout", settledAfter: 25_000 });
    expect(looks).toEqual([0, 10_000, 20_000, 25_000]);
    const settled = await result;
    expect(settled.kind === "timeout" && settled.message).toMatch(
      /backup:\/locks\/theirs after 25s: held by job their-job/,
    );
    expect(events.of("job:unblocked")).toMatchObject([{ outcome: "timeout", waitedMs: 25_000 }]);
  });

  it("goes on when the last look at the deadline finds the block gone", async () => {
    backup.write(path, lockContent());
    const { claim } = start([blockOn(theirs, { waitTimeMs: 60_000, timeoutMs: 25_000 })]);
    await clock.advance(24_999);
    backup.files.delete(path);
    await clock.advance(1);
    expect(claim).toEqual({ kind: "held", settledAfter: 25_000 });
  });

  it("times out at the first look with a timeout of zero", async () => {
    backup.write(path, lockContent());
    const { claim } = start([blockOn(theirs, { timeoutMs: 0 })]);
    await clock.advance(0);
    expect(claim).toEqual({ kind: "timeout", settledAfter: 0 });
  });

  it("never takes silence for absence, and times out in time all the same", async () => {
    backup.silent = true;
    const { claim, result } = start([blockOn(theirs, { timeoutMs: 10_000 })]);
    await clock.advance(9999);
    expect(claim.kind).toBe("waiting");
    await clock.advance(1);
    expect(claim).toEqual({ kind: "timeout", settledAfter: 10_000 });
    const settled = await result;
    expect(settled.kind === "timeout" && settled.message).toContain("no answer");
  });

  it("gives a look that begins at the deadline three seconds and no more", async () => {
    backup.write(path, lockContent());
    const { claim } = start([blockOn(theirs, { waitTimeMs: 60_000, timeoutMs: 25_000 })]);
    await clock.advance(24_000);
    backup.silent = true;
    await clock.advance(1000);
    expect(claim.kind).toBe("waiting");
    await clock.advance(3000);
    expect(claim).toEqual({ kind: "timeout", settledAfter: 28_000 });
  });

  it("is blocked by a path whose directory does not exist, and says why", async () => {
    const { claim, events } = start([blockOn(remoteLock("backup", "/elsewhere/x"), { timeoutMs: 15_000 })]);
    await clock.advance(15_000);
    expect(claim.kind).toBe("timeout");
    expect(events.of("job:blocked")[0]).toMatchObject({ state: "unknown", owner: null });
    expect(events.of("job:blocked")[0]?.detail).toContain("directory does not exist");
  });

  it("waits for every block, each with its own timeout", async () => {
    backup.write("/locks/long", lockContent());
    backup.write("/locks/short", lockContent());
    const { claim, result } = start([
      blockOn(remoteLock("backup", "/locks/long")),
      blockOn(remoteLock("backup", "/locks/short"), { timeoutMs: 12_000, onTimeout: "fail" }),
    ]);
    await clock.advance(12_000);
    expect(claim).toEqual({ kind: "timeout", settledAfter: 12_000 });
    expect(await result).toMatchObject({ block: { onTimeout: "fail", lock: { path: "/locks/short" } } });
  });

  it.each([
    ["between two looks", false],
    ["in the middle of a look", true],
  ])("is interrupted at once %s", async (_, silent) => {
    if (silent) backup.silent = true;
    else backup.write(path, lockContent());
    const { claim, result, events } = start([blockOn(theirs, { waitTimeMs: 10_000 })]);
    await clock.advance(3000);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await clock.advance(0);
    expect(claim.kind).toBe("cancelled");
    expect(await result).toMatchObject({ reason: { kind: "shutdown" } });
    expect(events.of("job:unblocked")).toMatchObject(silent ? [] : [{ outcome: "cancelled" }]);
    if (!silent) expect(clock.pendingTimers).toBe(0);
  });

  it("does not run a job whose signal was aborted before", async () => {
    signal.abort(new AbortReason("cancelled", "no"));
    const { result } = start([blockOn(theirs)]);
    expect((await result).kind).toBe("cancelled");
  });
});
