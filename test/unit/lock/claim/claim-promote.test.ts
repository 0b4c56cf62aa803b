import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../../../src/base/abort.ts";
import type { Job } from "../../../../src/config/resolved.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, lockContent, remoteLock } from "../../../support/lock-fixture.ts";
import { type Fault, MemoryLockHost } from "../../../support/memory-lock-host.ts";

const seconds = (count: number) => count * 1000;

describe("from a claim to a held lock", () => {
  let clock: FakeClock;
  let alpha: MemoryLockHost;
  let beta: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    alpha = new MemoryLockHost("alpha", clock);
    beta = new MemoryLockHost("beta", clock);
  });

  const start = (overrides: Partial<Job>) => {
    const director = createDirector({ hosts: [alpha, beta], clock });
    const signal = new AbortController();
    const state = { kind: "waiting" };
    const result = director.locks.claim({ job: buildJob(overrides), runId: "run", signal: signal.signal });
    void result.then((settled) => (state.kind = settled.kind));
    return { ...director, signal, state, result };
  };
  const onAlpha = (name: string) => remoteLock("alpha", `/locks/${name}`);
  const onBeta = (name: string) => remoteLock("beta", `/locks/${name}`);
  const recordAt = (host: MemoryLockHost, path: string) => {
    const seen = host.check(path);
    return seen.kind === "held" ? seen.found.record : undefined;
  };
  const operations = (host: MemoryLockHost) => {
    const kinds: string[] = [];
    host.fault = ({ kind }) => void kinds.push(kind);
    return kinds;
  };

  it("takes one trip for look, claim, second look and promotion when all is on one host", async () => {
    const kinds = operations(alpha);
    await start({ lockFiles: [onAlpha("a"), onAlpha("b")], blocksOn: [blockOn(onAlpha("c"))] }).result;
    expect(kinds).toEqual(["acquire"]);
    expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "held", hb: 30, ttl: 600 });
  });

  it("looks before it promotes when the blocks are on another host", async () => {
    const kinds = operations(alpha);
    const states: unknown[] = [];
    beta.fault = () => void states.push(recordAt(alpha, "/locks/a")?.state);
    await start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] }).result;
    // The own lock is looked at in the first look as well.
    expect(kinds).toEqual(["check", "acquire", "promote"]);
    expect(states).toEqual([undefined, "claim"]);
    expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "held" });
  });

  it("says in a claim that it is one, with the times of a claim", async () => {
    beta.fault = ({ number }): Fault | undefined => (number === 2 ? "before" : undefined);
    start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(seconds(5));
    expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "claim", hb: 10, ttl: 120 });
  });

  it.each<[Fault, string]>([
    ["before", "lost on the way"],
    ["after", "carried out without an answer"],
    ["late", "carried out late"],
    ["refused", "never sent"],
  ])("finds out by the token what became of a promotion that was (%s) %s", async (fault) => {
    let faults = 0;
    alpha.fault = ({ kind }) => (kind === "promote" && ++faults === 1 ? fault : undefined);
    const { state, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(seconds(21));
    expect(state.kind).toBe("held");
    expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "held" });
    expect(events.of("lock:withdrawn")).toEqual([]);
    await clock.advance(seconds(100));
    expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "held" });
  });

  it("withdraws when promotions are never answered, and holds nothing meanwhile", async () => {
    alpha.fault = ({ kind }) => (kind === "promote" ? "before" : undefined);
    const { state, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(seconds(65));
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:withdrawn").length).toBeGreaterThan(0);
    alpha.fault = () => undefined;
    await clock.advance(seconds(300));
    expect(state.kind).toBe("held");
  });

  it.each([
    ["broken and taken by another", () => alpha.write("/locks/a", lockContent())],
    ["gone", () => void alpha.files.delete("/locks/a")],
  ])("does not go on when its claim is %s at the second look", async (_, change) => {
    beta.fault = ({ number }) => {
      if (number === 2) change();
      return undefined;
    };
    const { state, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(0);
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:held")).toEqual([]);
    expect(alpha.files.has("/locks/a")).toBe(alpha.files.size > 0);
    alpha.files.clear();
    await clock.advance(seconds(60));
    expect(state.kind).toBe("held");
  });

  it.each([
    ["gone", () => void alpha.files.delete("/locks/a")],
    ["another's", () => alpha.write("/locks/a", lockContent())],
  ])("does not go on when a promotion got no answer and the file is %s", async (_, change) => {
    alpha.fault = ({ kind }) => (kind === "promote" ? "before" : undefined);
    const { state, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(seconds(15));
    change();
    await clock.advance(seconds(6));
    expect(state.kind).toBe("waiting");
    expect(events.of("lock:held")).toEqual([]);
  });

  it("keeps a claim alive for as long as its second look takes", async () => {
    beta.answerDelayMs = seconds(19);
    const { state } = start({ lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))] });
    await clock.advance(seconds(19 + 18));
    const seen = alpha.check("/locks/a");
    expect(seen.kind === "held" && seen.found.ageSeconds).toBeLessThanOrEqual(10);
    await clock.advance(seconds(5));
    expect(state.kind).toBe("held");
  });

  describe("with the Python original as a peer", () => {
    it.each([
      ["a block", { blocksOn: [blockOn({ ...remoteLock("beta", "/locks/b"), peer: "legacy" as const })] }],
      ["an own lock", { lockFiles: [{ ...remoteLock("alpha", "/locks/a"), peer: "legacy" as const }] }],
    ])("waits 15 s between claim and second look when %s is marked", async (_, marked) => {
      const job = { lockFiles: [onAlpha("a")], blocksOn: [blockOn(onBeta("b"))], ...marked };
      const { state } = start(job);
      await clock.advance(seconds(14.9));
      expect(state.kind).toBe("waiting");
      expect(recordAt(alpha, "/locks/a")).toMatchObject({ state: "claim" });
      const seen = alpha.check("/locks/a");
      expect(seen.kind === "held" && seen.found.ageSeconds).toBeLessThanOrEqual(10);
      await clock.advance(seconds(0.1));
      expect(state.kind).toBe("held");
    });

    it("sees the lock that the original writes after it had looked", async () => {
      const block = blockOn({ ...onAlpha("b"), peer: "legacy" as const });
      const { state, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [block] });
      await clock.advance(seconds(10));
      alpha.write("/locks/b", "4711\n");
      await clock.advance(seconds(6));
      expect(state.kind).toBe("waiting");
      expect(events.of("lock:withdrawn")).toHaveLength(1);
      expect([...alpha.files.keys()]).toEqual(["/locks/b"]);
    });

    it("gives up the claim when it is lost meanwhile, and when it is stopped", async () => {
      const block = blockOn({ ...onBeta("b"), peer: "legacy" as const });
      const { state, signal, events } = start({ lockFiles: [onAlpha("a")], blocksOn: [block] });
      await clock.advance(seconds(5));
      alpha.write("/locks/a", lockContent());
      await clock.advance(seconds(6));
      expect(events.of("lock:lost")).toMatchObject([{ cause: "taken" }]);
      expect(events.of("job:blocked")[0]).toMatchObject({ place: { path: "/locks/a" }, state: "unknown" });
      signal.abort(new AbortReason("cancelled", "enough"));
      await clock.advance(0);
      expect(state.kind).toBe("cancelled");
      expect(recordAt(alpha, "/locks/a")).toMatchObject({ job: "their-job" });
      expect(clock.pendingTimers).toBe(0);
    });
  });
});
