import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import type { Job } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { createMemoryJournal } from "../../../support/memory-journal.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

const own = remoteLock("backup", "/locks/own");
const block = remoteLock("backup", "/locks/block");

describe("an answer to a claim that comes when nobody waits for it any more", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
  });

  const start = (overrides: Partial<Job> = {}) => {
    const journal = createMemoryJournal();
    const director = createDirector({ hosts: [backup], clock, journal });
    const signal = new AbortController();
    const job = buildJob({ lockFiles: [own], ...overrides });
    const state = { kind: "waiting" };
    void director.locks.claim({ job, runId: "run", signal: signal.signal }).then(({ kind }) => (state.kind = kind));
    return { ...director, journal, signal, state };
  };
  const stopBeforeTheAnswer = async ({ signal, state }: ReturnType<typeof start>) => {
    await clock.advance(50);
    signal.abort(new AbortReason("shutdown", "SIGTERM"));
    await clock.advance(100);
    expect(state.kind).toBe("cancelled");
  };

  it.each([
    ["another's lock was in its way", () => backup.write("/locks/own", lockContent())],
    ["a block was held", () => backup.write("/locks/block", lockContent())],
    ["its directory is missing", () => backup.directories.clear()],
    ["it took the lock, which is given back", () => undefined],
  ])("settles the claim of a job that was stopped: %s", async (_, arrange) => {
    arrange();
    backup.answerDelayMs = 100;
    const started = start({ blocksOn: [blockOn(block)] });
    await stopBeforeTheAnswer(started);
    expect(started.journal.open.size).toBe(0);
    await clock.advance(100_000);
    expect(started.log.messages()).not.toContain("left-over lock is gone");
  });

  it("leaves the claim in doubt when it is none", async () => {
    backup.answerDelayMs = 100;
    backup.fault = ({ kind }) => (kind === "acquire" ? "before" : undefined);
    const started = start();
    await stopBeforeTheAnswer(started);
    expect(started.journal.open.size).toBe(1);
    await clock.advance(200_000);
    expect(started.journal.open.size).toBe(1);
  });

  it("settles the claim of a job that would not wait for it", async () => {
    backup.write("/locks/block", lockContent());
    backup.answerDelayMs = 10_000;
    const { journal, state } = start({ blocksOn: [blockOn(block, { timeoutMs: 0 })] });
    await clock.advance(6000);
    expect(state.kind).toBe("timeout");
    expect(journal.open.size).toBe(1);
    await clock.advance(100_000);
    expect(journal.open.size).toBe(0);
    expect([...backup.files.keys()]).toEqual(["/locks/block"]);
  });
});
