import { describe, expect, test } from "vitest";
import type { Job } from "../../../src/config/resolved.ts";
import type { ChangeSet } from "../../../src/model/changes.ts";
import type { JobOutcome, RunCause } from "../../../src/model/run.ts";
import { Dispatcher } from "../../../src/run/dispatcher.ts";
import type { RunJob } from "../../../src/run/job-runner.ts";
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
const one = { jobId: "www", actionId: "copy", targetId: "one" };
const noEnd: JobOutcome = { kind: "failed", message: "runs without end", actionId: null };
const two = { ...one, targetId: "two" };

function changed(path: string): ChangeSet {
  return { kind: "paths", changes: [{ path, kind: "changed" }] };
}

/** A watched job whose runs the real dispatcher starts; `work` is what a run does. */
async function start(
  work: (job: WatchedJob, cause: RunCause, run: number) => Promise<JobOutcome> | JobOutcome,
  overrides: Partial<Job> = {},
) {
  const clock = new FakeClock();
  const journal = new DirtyJournal({ store: new MemoryDirtyStore(), clock });
  journal.open([one, two].map((of) => ({ of, fingerprint: "same", watched: "all", onStart: "full", mostPaths: 1000 })));
  const events = new EventLog();
  const job = buildJob({ id: "www", retry, ...overrides });
  let seen: WatchListener | undefined;
  const see = (path: string) => seen?.onChanges(changed(path));
  let began = 0;
  const runJob: RunJob = async (_job, { runId, cause }) => {
    began += 1;
    events.emit("job:started", { runId, jobId: "www", at: clock.now() });
    // A run that is asked for without end would keep the test from its end.
    const outcome = began > 100 ? noEnd : await work(watched, cause, began);
    // As the job runner does it: the job is still taken while this is told.
    events.emit("job:finished", { runId, jobId: "www", outcome, startedAt: 0, at: clock.now() });
    return { jobId: "www", outcome, startedAt: 0, finishedAt: 0 };
  };
  const dispatcher = new Dispatcher({ jobs: new Map([["www", job]]), runJob, events, clock });
  const watched = new WatchedJob({
    job,
    watch,
    destinations: [one, two],
    journal,
    openWatchers: (listener) => {
      seen = listener;
      return [];
    },
    submit: (request) => void dispatcher.submit(request),
    clock,
    events,
    log: createMemoryLog(),
  });
  await watched.start();
  await clock.advance(0);
  return { clock, events, journal, watched, see, began: () => began };
}

/** Carries what is pending to every target but those that fail. */
function carry(job: WatchedJob, cause: RunCause, failing: readonly string[] = []): JobOutcome {
  const ends = [one, two].map((of) => {
    const changes = job.begin(of, cause);
    if (changes.kind !== "carry") return changes.kind;
    if (failing.includes(of.targetId)) changes.failed("down");
    else changes.arrived();
    return failing.includes(of.targetId) ? "failed" : "ok";
  });
  const isOk = ends.every((end) => end === "ok" || end === "nothing");
  return isOk ? { kind: "ok" } : { kind: "failed", message: "no", actionId: "copy" };
}

function gate(): [Promise<void>, () => void] {
  let open = () => {};
  return [new Promise((resolve) => (open = resolve)), () => open()];
}

describe("what changes during a run", () => {
  test.each(["queue", "forbid"] as const)("is carried by one more (concurrency: %s)", async (concurrency) => {
    const [first, endFirst] = gate();
    const [second, endSecond] = gate();
    const { clock, journal, see, began } = await start(
      async (job, cause, run) => {
        if (run === 2) await second;
        const outcome = carry(job, cause);
        if (run === 1) await first;
        return outcome;
      },
      { concurrency },
    );
    see("/srv/late");
    await clock.advance(2000);
    expect([journal.need(one), began()]).toEqual(["paths", 1]);
    endFirst();
    await clock.advance(1000);
    expect([journal.need(one), began()]).toEqual(["paths", 2]);
    endSecond();
    await clock.advance(60_000);
    expect([journal.need(one), began()]).toEqual([null, 2]);
  });

  test.each(["queue", "forbid"] as const)(
    "does not wait for the target that is down (concurrency: %s)",
    async (concurrency) => {
      const [ended, end] = gate();
      const { clock, journal, see, began } = await start(
        async (job, cause, run) => {
          const outcome = carry(job, cause, ["two"]);
          if (run === 1) await ended;
          return outcome;
        },
        { concurrency },
      );
      see("/srv/late");
      await clock.advance(2000);
      end();
      await clock.advance(0);
      expect([journal.need(one), journal.need(two), began()]).toEqual([null, "full", 2]);
      await clock.advance(27_000);
      expect(began()).toBe(2);
      await clock.advance(1000);
      expect(began()).toBe(3);
    },
  );
});

describe("a run that succeeds", () => {
  test("and carries nothing, as in a dry run, is asked for again less and less often", async () => {
    const { clock, see, began } = await start((job, cause) => {
      for (const of of [one, two]) job.begin(of, cause);
      return { kind: "ok" };
    });
    await clock.advance(29_000);
    expect(began()).toBe(1);
    await clock.advance(1000);
    expect(began()).toBe(2);
    await clock.advance(58_000);
    expect(began()).toBe(2);
    see("/srv/a");
    await clock.advance(1000);
    expect(began()).toBe(3);
  });

  test("as the operator has it, though something did not arrive, is tried again after a while", async () => {
    const { clock, began } = await start((job, cause) => {
      carry(job, cause, ["two"]);
      return { kind: "warning", message: "exit code 23" };
    });
    await clock.advance(29_000);
    expect(began()).toBe(1);
    await clock.advance(1000);
    expect(began()).toBe(2);
  });
});

describe("a job with nothing between its tries", () => {
  test("is tried again nevertheless, and not without end", async () => {
    const { clock, began } = await start((job, cause) => carry(job, cause, ["one", "two"]), {
      retry: { ...retry, delayMs: 0, maxDelayMs: 0 },
    });
    await clock.advance(10_000);
    expect(began()).toBeGreaterThan(5);
    expect(began()).toBeLessThan(15);
  });
});

describe("while all that is pending is put off", () => {
  test("changes ask for no run", async () => {
    const { clock, see, began } = await start((job, cause) => carry(job, cause, ["one", "two"]));
    for (let second = 0; second < 14; second += 1) {
      see(`/srv/${second}`);
      await clock.advance(2000);
    }
    expect(began()).toBe(1);
    await clock.advance(2000);
    expect(began()).toBe(2);
  });
});

describe("a paused job", () => {
  test("is asked for once, and again when it is resumed", async () => {
    const paused: JobOutcome = { kind: "skipped", cause: "paused", message: "paused by anna" };
    let isPaused = true;
    const { clock, journal, see, began, events } = await start((job, cause) => (isPaused ? paused : carry(job, cause)));
    for (const name of ["a", "b", "c"]) {
      see(`/srv/${name}`);
      await clock.advance(300_000);
    }
    expect([began(), journal.need(one)]).toEqual([1, "full"]);
    isPaused = false;
    events.emit("job:resumed", { jobId: "www", by: "anna", at: clock.now() });
    await clock.advance(1000);
    expect([began(), journal.need(one), journal.need(two)]).toEqual([2, null, null]);
  });
});
