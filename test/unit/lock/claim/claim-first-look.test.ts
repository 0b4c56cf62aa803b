import { beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { createMemoryJournal } from "../../../support/memory-journal.ts";
import { type Fault, MemoryLockHost } from "../../../support/memory-lock-host.ts";

const own = remoteLock("backup", "/locks/own");
const block = remoteLock("backup", "/locks/block");

describe("a first look that is made on the way to the claim", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let kinds: string[];
  /** What becomes of the first operation. */
  let first: Fault | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    [kinds, first] = [[], undefined];
    backup.fault = ({ kind, number }) => {
      kinds.push(kind);
      return number === 1 ? first : undefined;
    };
  });

  const start = (overrides: Partial<Job> = {}, probed = false) => {
    const journal = createMemoryJournal();
    const director = createDirector({ hosts: [backup], clock, journal, probed });
    const state = { kind: "waiting" };
    const job = buildJob({ lockFiles: [own], blocksOn: [blockOn(block)], ...overrides });
    const result = director.locks.claim({ job, runId: "run", signal: new AbortController().signal });
    void result.then((settled) => (state.kind = settled.kind));
    return { ...director, journal, state, result };
  };
  const written = () => {
    const paths: string[] = [];
    const set = backup.files.set.bind(backup.files);
    backup.files.set = (path, entry) => {
      paths.push(path);
      return set(path, entry);
    };
    return paths;
  };

  it.each([
    ["a block", "/locks/block"],
    ["an own lock", "/locks/own"],
  ])("claims nothing while it finds %s, and begins a wait like any other look", async (_, path) => {
    backup.write(path, lockContent());
    const paths = written();
    const { state, events, journal } = start();
    await clock.advance(0);
    expect([kinds, paths]).toEqual([["acquire"], []]);
    expect(events.of("job:blocked")).toMatchObject([{ place: { path }, state: "held", owner: "777" }]);
    expect(journal.open.size).toBe(0);
    backup.files.delete(path);
    await clock.advance(12_000);
    expect(state.kind).toBe("held");
    expect([...new Set(kinds)]).toEqual(["acquire", "check"]);
    expect(events.of("job:unblocked")).toHaveLength(1);
  });

  it("is the only one of a job that shall look once", async () => {
    backup.write("/locks/block", lockContent());
    const { result } = start({ blocksOn: [blockOn(block, { timeoutMs: 0 })] });
    expect((await result).kind).toBe("timeout");
    expect(kinds).toEqual(["acquire"]);
  });

  it.each<[string, Fault]>([
    ["was not carried out", "before"],
    ["was", "after"],
    ["is carried out late", "late"],
  ])("is waited for no longer than the block allows; a claim that %s is gone in the end", async (_, fault) => {
    first = fault;
    const { state, journal } = start({ blocksOn: [blockOn(block, { timeoutMs: 0 })] });
    await clock.advance(2900);
    expect(state.kind).toBe("waiting");
    await clock.advance(200);
    expect(state.kind).toBe("timeout");
    await clock.advance(200_000);
    expect(backup.files.size).toBe(0);
    // A claim that was never answered may come as late as it likes.
    if (fault === "before") expect(journal.open.size).toBe(1);
  });

  it.each<Fault>(["before", "after", "late", "refused"])("without an answer (%s) makes the job wait", async (fault) => {
    first = fault;
    const { state, events } = start();
    await clock.advance(fault === "refused" ? 0 : 20_000);
    expect(state.kind).toBe("waiting");
    expect(events.of("job:blocked")).toMatchObject([{ state: "unknown" }]);
    await clock.advance(150_000);
    expect(state.kind).toBe("held");
    expect([...backup.files.keys()]).toEqual(["/locks/own"]);
    expect(events.of("lock:lost")).toEqual([]);
  });

  it("waits for a directory that is not there, and tries it before the claim", async () => {
    backup.directories.clear();
    const { state } = start({}, true);
    await clock.advance(15_000);
    expect([state.kind, kinds.includes("probe")]).toEqual(["waiting", false]);
    backup.directories.add("/locks");
    await clock.advance(15_000);
    expect(state.kind).toBe("held");
    expect(kinds.slice(-2)).toEqual(["probe", "acquire"]);
  });

  it("is a trip of its own where the original takes part, which needs a pause", async () => {
    const { state } = start({ blocksOn: [blockOn({ ...block, peer: "legacy" })] });
    await clock.advance(60_000);
    expect(state.kind).toBe("held");
    expect(kinds[0]).toBe("check");
  });
});
