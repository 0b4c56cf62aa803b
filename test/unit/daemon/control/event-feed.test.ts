import { expect, it } from "vitest";
import { createEventFeed } from "../../../../src/daemon/control/event-feed.ts";
import type { DirectorEvent } from "../../../../src/web/director-control.ts";
import { EventLog } from "../../../support/event-log.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

const action = { jobId: "a", actionId: "copy", targetId: "", attempt: 1 };

function setUp() {
  const events = new EventLog();
  const log = createMemoryLog();
  const feed = createEventFeed({ events, log });
  const begin = (runId: string, jobs = ["a"]) =>
    events.emit("run:queued", { runId, jobs, cause: { kind: "signal" }, at: 0 });
  const say = (runId: string, line: string) =>
    events.emit("action:output", { ...action, runId, stream: "stdout", line });
  const end = (runId: string) =>
    events.emit("run:finished", {
      ...{ runId, cause: { kind: "signal" }, startedAt: 0, finishedAt: 1, outcome: "ok", jobs: [] },
    });
  const follow = (options: { runId?: string; jobId?: string }) => {
    const seen: DirectorEvent[] = [];
    const stop = feed.follow(options, (event) => seen.push(event));
    return { seen, stop };
  };
  return { events, log, feed, begin, say, end, follow };
}

it("keeps the last thousand events of a run, and at most 256 KiB of output", () => {
  const { begin, say, follow } = setUp();
  begin("1");
  for (let line = 0; line < 1500; line += 1) say("1", `${line}`);
  const { seen } = follow({ runId: "1" });
  expect(seen).toHaveLength(1000);
  expect(seen.at(-1)?.payload).toMatchObject({ line: "1499" });
  begin("2");
  for (let line = 0; line < 40; line += 1) say("2", "x".repeat(10_000));
  expect(follow({ runId: "2" }).seen).toHaveLength(26);
});

it("tells of one run, of one job, or of everything from now on", () => {
  const { begin, say, end, follow } = setUp();
  begin("1");
  const one = follow({ runId: "1" });
  const other = follow({ jobId: "b" });
  const all = follow({});
  begin("2", ["b"]);
  say("1", "hello");
  end("1");
  expect(one.seen.map(({ name }) => name)).toEqual(["run:queued", "action:output", "run:finished"]);
  expect(other.seen.map(({ name }) => name)).toEqual(["run:queued"]);
  expect(all.seen.map(({ name }) => name)).toEqual(["run:queued", "action:output", "run:finished"]);
  one.stop();
  say("1", "more");
  expect(one.seen).toHaveLength(3);
});

it("can still tell of a run that has just ended, and forgets older ones", () => {
  const { begin, end, follow } = setUp();
  for (const runId of "123456789") {
    begin(runId);
    end(runId);
  }
  expect(follow({ runId: "9" }).seen).toHaveLength(2);
  expect(follow({ runId: "1" }).seen).toEqual([]);
});

it("shows no secret and no whole output", () => {
  const { events, begin, say, follow } = setUp();
  begin("1");
  const argv = ["rsync", "--password=hunter2"];
  say("1", "password=hunter2");
  events.emit("action:started", { ...action, runId: "1", argv, at: 0 });
  const report = { argv, exitCode: 1, signal: null, stats: null, output: "all of it" };
  const outcome = { kind: "failed", cause: "exit", message: "password=hunter2", retryable: false, report } as const;
  events.emit("action:finished", { ...action, runId: "1", outcome, startedAt: 0, at: 1 });
  const { seen } = follow({ runId: "1" });
  expect(seen).toHaveLength(4);
  expect(JSON.stringify(seen)).not.toMatch(/hunter2|all of it/);
});

it("goes on when a listener throws, and calls it no more", () => {
  const { begin, feed, follow, log } = setUp();
  let calls = 0;
  feed.follow({}, () => {
    calls += 1;
    throw new Error("gone");
  });
  const { seen } = follow({});
  begin("1");
  begin("2");
  expect(calls).toBe(1);
  expect(seen).toHaveLength(2);
  expect(log.lines).toMatchObject([{ level: "error" }]);
});
