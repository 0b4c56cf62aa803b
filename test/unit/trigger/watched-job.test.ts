import { describe, expect, test } from "vitest";
import type { ChangeKind, ChangeSet } from "../../../src/model/changes.ts";
import type { JobOutcome, RunCause, RunRequest } from "../../../src/model/run.ts";
import { WatchedJob } from "../../../src/trigger/watched-job.ts";
import type { WatchListener } from "../../../src/trigger/watched-job-deps.ts";
import { DirtyJournal } from "../../../src/watch/dirty-journal.ts";
import { buildJob } from "../../support/build-job.ts";
import { buildWatch } from "../../support/build-watch.ts";
import { EventLog } from "../../support/event-log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryDirtyStore } from "../../support/memory-dirty-store.ts";
import { createMemoryLog } from "../../support/memory-log.ts";

const watch = buildWatch({
  paths: ["/srv"],
  debounceMs: 1000,
  maxDelayMs: 10_000,
  maxBatch: 100,
  fullSyncThreshold: 50,
});
const retry = { limit: 0, delayMs: 30_000, maxDelayMs: 60_000, backoff: 2, exitCodes: undefined };
const cause: RunCause = { kind: "watch", path: "/srv" };
const ok: JobOutcome = { kind: "ok" };
const failed: JobOutcome = { kind: "failed", message: "no", actionId: "copy" };
const one = { jobId: "www", actionId: "copy", targetId: "one" };
const two = { ...one, targetId: "two" };

function changed(...paths: readonly string[]): ChangeSet {
  return { kind: "paths", changes: paths.map((path) => ({ path, kind: "changed" as ChangeKind })) };
}

/** A watched job with a watcher that sees what the test says. */
async function start(options: { settled?: boolean; onStart?: "full" | "none" } = {}) {
  const { settled = true, onStart = "none" } = options;
  const clock = new FakeClock();
  const store = new MemoryDirtyStore();
  const entries = [one, two].map((of) => ({ of, fingerprint: "same", watched: "all", onStart, mostPaths: 1000 }));
  if (settled) {
    const before = new DirtyJournal({ store, clock });
    before.open(entries);
    for (const { of } of entries) before.arrived(of, before.snapshot(of)!);
    before.close();
  }
  const journal = new DirtyJournal({ store, clock });
  journal.open(entries);
  const events = new EventLog();
  const requests: RunRequest[] = [];
  let degraded: string | null = null;
  let directories = 3;
  let seen: WatchListener | undefined;
  let closed = false;
  const job = new WatchedJob({
    job: buildJob({ id: "www", retry }),
    watch,
    destinations: [one, two],
    journal,
    openWatchers: (listener) => {
      seen = listener;
      const state = () => ({ root: "/srv", watching: true, degraded, directories, unwatched: 0, settling: false });
      return [{ start: () => Promise.resolve(), close: () => Promise.resolve(void (closed = true)), state }];
    },
    submit: (request) => requests.push(request),
    clock,
    events,
    log: createMemoryLog(),
  });
  await job.start();
  const finish = (outcome: JobOutcome) =>
    events.emit("job:finished", { runId: "r", jobId: "www", outcome, startedAt: 0, at: clock.now() });
  /** What a run does: carries what is pending to every target but those that fail, and ends. */
  const run = (failing: readonly string[] = []) => {
    const carried = [one, two].map((of) => {
      const changes = job.begin(of, cause);
      if (changes.kind !== "carry") return changes.kind;
      if (failing.includes(of.targetId)) changes.failed("down");
      else changes.arrived();
      return changes.scope.kind;
    });
    finish(carried.includes("deferred") || failing.length > 0 ? failed : ok);
    return carried;
  };
  const degrade = (why: string | null) => {
    degraded = why;
    seen?.onState();
  };
  const grow = () => void (directories += 1);
  return {
    ...{ job, clock, journal, events, requests, see: seen!.onChanges, run, finish, degrade, grow },
    isClosed: () => closed,
  };
}

describe("a watched job", () => {
  test("asks for a run at its start when something is pending, and for none otherwise", async () => {
    expect((await start({ onStart: "full" })).requests).toEqual([{ jobs: ["www"], cause }]);
    expect((await start()).requests).toEqual([]);
  });

  test("asks for one run once changes have been quiet for the debounce", async () => {
    const { clock, requests, see, journal } = await start();
    see(changed("/srv/a"));
    await clock.advance(900);
    see(changed("/srv/b"));
    await clock.advance(900);
    expect(requests).toEqual([]);
    expect(journal.need(one)).toBeNull();
    await clock.advance(100);
    expect(requests).toEqual([{ jobs: ["www"], cause: { kind: "watch", path: "/srv/a" } }]);
    expect(journal.need(one)).toBe("paths");
  });

  test("asks for complete syncs at its interval, counted from the last that arrived", async () => {
    const { clock, requests, journal, run, job } = await start();
    await clock.advance(1_800_000);
    for (const of of [one, two]) {
      const full = job.begin(of, { kind: "signal" });
      if (full.kind !== "carry") throw new Error("a complete sync has something to carry");
      full.arrived();
    }
    await clock.advance(3_599_000);
    expect(requests).toEqual([]);
    await clock.advance(1000);
    expect(requests).toHaveLength(1);
    expect(journal.snapshot(one)?.scope).toMatchObject({ kind: "full", reason: "full_sync_interval has passed" });
    run();
    expect(requests).toHaveLength(1);
  });

  test("tells when its watch does not see everything, and when it does again", async () => {
    const { degrade, events } = await start();
    degrade("no watches left");
    degrade(null);
    const states = events.of("watch:state").map(({ state }) => state);
    expect(states).toEqual([
      { directories: 3, degraded: null },
      { directories: 3, degraded: "no watches left" },
      { directories: 3, degraded: null },
    ]);
  });

  test("tells how many directories are watched when that has changed, and nothing twice", async () => {
    const { clock, degrade, events, grow, see } = await start();
    degrade(null);
    see(changed("/srv/a"));
    await clock.advance(1000);
    expect(events.of("watch:state")).toHaveLength(1);
    grow();
    see(changed("/srv/new"));
    await clock.advance(1000);
    expect(events.of("watch:state").map(({ state }) => state.directories)).toEqual([3, 4]);
  });

  test("carries everything in a run that somebody else asked for", async () => {
    const { job, see, clock } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    expect(job.begin(one, { kind: "signal" })).toMatchObject({ kind: "carry", scope: { kind: "full" } });
    expect(job.begin(one, cause)).toMatchObject({ kind: "carry", scope: { kind: "paths" } });
  });
});

describe("a target that fails", () => {
  test("is left alone for its back-off, while the others go on", async () => {
    const { clock, see, run, requests } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    expect(run(["two"])).toEqual(["paths", "paths"]);
    see(changed("/srv/b"));
    await clock.advance(1000);
    expect(requests).toHaveLength(2);
    expect(run()).toEqual(["paths", "deferred"]);
    await clock.advance(28_000);
    expect(requests).toHaveLength(2);
    await clock.advance(1000);
    expect(requests).toHaveLength(3);
    expect(run()).toEqual(["nothing", "paths"]);
    await clock.advance(120_000);
    expect(requests).toHaveLength(3);
  });

  test("is tried less and less often, and says when", async () => {
    const { clock, see, run, job } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    run(["two"]);
    await clock.advance(30_000);
    run(["two"]);
    await clock.advance(59_000);
    const deferred = job.begin(two, cause);
    expect(deferred).toMatchObject({ kind: "deferred", until: clock.now() + 1000 });
    await clock.advance(1000);
    expect(job.begin(two, cause).kind).toBe("carry");
  });

  test("is tried at once by a run that somebody asks for", async () => {
    const { clock, see, run, job } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    run(["two"]);
    expect(job.begin(two, { kind: "request", by: "test" }).kind).toBe("carry");
  });
});

describe("a run that ends before it came to its targets", () => {
  test("is asked for again after a while, and less often each time", async () => {
    const { clock, see, requests, finish } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    const skipped: JobOutcome = { kind: "skipped", cause: "block-timeout", message: "locked" };
    finish(skipped);
    await clock.advance(29_999);
    expect(requests).toHaveLength(1);
    await clock.advance(1);
    expect(requests).toHaveLength(2);
    finish(skipped);
    await clock.advance(59_999);
    expect(requests).toHaveLength(2);
    await clock.advance(1);
    expect(requests).toHaveLength(3);
  });

  test("is not asked for again when a run of the job is already under way", async () => {
    const { clock, see, requests, finish, run } = await start();
    see(changed("/srv/a"));
    await clock.advance(1000);
    finish({ kind: "skipped", cause: "already-running", message: "busy" });
    await clock.advance(120_000);
    expect(requests).toHaveLength(1);
    see(changed("/srv/b"));
    await clock.advance(1000);
    run();
    expect(requests).toHaveLength(2);
  });
});

describe("a watched job that is stopped", () => {
  test("writes down what it saw last and asks for nothing more", async () => {
    const { job, see, clock, requests, journal, isClosed } = await start();
    see(changed("/srv/late"));
    await job.stop();
    expect(isClosed()).toBe(true);
    expect(journal.snapshot(one)?.scope).toEqual(changed("/srv/late"));
    await clock.advance(7_200_000);
    expect(requests).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
