import { expect, it } from "vitest";
import { keepRecentRuns } from "../../../../src/daemon/control/recent-runs.ts";
import type { RecentJobRun } from "../../../../src/store/recent-runs.ts";
import { EventLog } from "../../../support/event-log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { emitRun, noStats, report } from "../../../support/history-samples.ts";

const past = (runId: string): RecentJobRun => ({
  ...{ runId, outcome: "ok", message: null, startedAt: 1, finishedAt: 3, durationMs: 2, bytes: null, files: null },
});

function setUp(loaded: Record<string, RecentJobRun[] | undefined> = {}) {
  const events = new EventLog();
  const clock = new FakeClock();
  const asked: string[] = [];
  const recent = keepRecentRuns({
    events,
    clock,
    loadLast: () => {
      asked.push("last");
      return new Map(Object.entries(loaded).flatMap(([id, runs]) => (runs?.at(-1) ? [[id, runs.at(-1)!]] : [])));
    },
    load: (jobId, limit) => {
      asked.push(`${jobId} ${limit}`);
      return jobId in loaded ? loaded[jobId]?.slice(-limit) : [];
    },
  });
  return { events, clock, recent, asked };
}

it("joins the past and what happens, and keeps the last thirty", () => {
  const { events, recent, asked } = setUp({ a: Array.from({ length: 30 }, (_, index) => past(`p${index}`)) });
  const stats = { ...noStats, transferredBytes: 7, filesTransferred: 2 };
  emitRun(events, { runId: "new", at: 100, jobs: [{ id: "a", action: { kind: "ok", report: report({ stats }) } }] });
  const runs = recent.of("a");
  expect(runs).toHaveLength(30);
  expect(runs[0]?.runId).toBe("p1");
  expect(runs[29]).toMatchObject({ runId: "new", outcome: "ok", durationMs: 100, bytes: 7, files: 2 });
  emitRun(events, { runId: "newer", at: 200, jobs: [{ id: "a" }] });
  expect(recent.of("a").at(-1)).toMatchObject({ runId: "newer", bytes: null });
  expect(asked).toEqual(["a 30"]);
});

it("counts a run that the history has already only once", () => {
  const { events, recent } = setUp({ a: [past("one"), past("two")] });
  emitRun(events, { runId: "two", at: 100, jobs: [{ id: "a" }] });
  expect(recent.of("a").map(({ runId }) => runId)).toEqual(["one", "two"]);
});

it("leaves out what was not even tried", () => {
  const { events, recent } = setUp();
  const skipped = { kind: "skipped", message: "" } as const;
  emitRun(events, { runId: "1", at: 1, jobs: [{ id: "a", outcome: { ...skipped, cause: "paused" } }] });
  emitRun(events, { runId: "2", at: 2, jobs: [{ id: "a", outcome: { ...skipped, cause: "block-timeout" } }] });
  expect(recent.of("a").map(({ runId }) => runId)).toEqual(["2"]);
});

it("asks the history again after it could not say", () => {
  const loaded: Record<string, RecentJobRun[] | undefined> = { a: undefined };
  const { events, recent } = setUp(loaded);
  emitRun(events, { runId: "new", at: 100, jobs: [{ id: "a" }] });
  expect(recent.of("a").map(({ runId }) => runId)).toEqual(["new"]);
  loaded["a"] = [past("old")];
  expect(recent.of("a").map(({ runId }) => runId)).toEqual(["old", "new"]);
});

it("finds the last runs of all jobs by one question, and loads the others bit by bit", async () => {
  const { clock, recent, asked } = setUp({ a: [past("1"), past("2")] });
  expect(recent.lastOf("a")?.runId).toBe("2");
  expect(recent.lastOf("b")).toBeNull();
  expect(recent.lastOf("b")).toBeNull();
  expect(asked).toEqual(["last"]);
  recent.warm(["a", "b"]);
  await clock.advance(1000);
  expect(asked.slice(1)).toEqual(["a 30", "b 30"]);
  expect(recent.lastOf("a")?.runId).toBe("2");
  expect(clock.pendingTimers).toBe(0);
});
