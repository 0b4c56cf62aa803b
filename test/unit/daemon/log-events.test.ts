import { expect, test } from "vitest";
import { logEvents } from "../../../src/daemon/log-events.ts";
import { emitRun, newEvents, noStats, report } from "../../support/history-samples.ts";
import { createMemoryLog } from "../../support/memory-log.ts";

function start() {
  const events = newEvents();
  const log = createMemoryLog();
  const stop = logEvents({ events, log, isSync: (_job, action) => action === "copy" });
  return { events, log, stop };
}

const of = { runId: "r1", jobId: "home", actionId: "copy", targetId: "", attempt: 1 };

test("a run is told in static messages with fields", () => {
  const { events, log } = start();
  const stats = { ...noStats, filesTransferred: 2, transferredBytes: 99 };
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home", action: { kind: "ok", report: report({ stats }) } }] });
  expect(log.messages()).toEqual([
    ...["run started", "job started", "action started", "action finished", "job finished", "run finished"],
  ]);
  expect(log.lines[3]).toEqual({
    level: "info",
    message: "action finished",
    fields: {
      run: "r1",
      job: "home",
      action: "copy",
      outcome: "ok",
      exitCode: 0,
      files: 2,
      bytes: 99,
      duration: "50ms",
    },
  });
});

test("failures are errors, and what is less than success a warning", () => {
  const { events, log } = start();
  emitRun(events, {
    runId: "r1",
    at: 0,
    jobs: [{ id: "a", outcome: { kind: "failed", message: "no", actionId: null } }],
  });
  emitRun(events, { runId: "r2", at: 0, jobs: [{ id: "a", outcome: { kind: "warning", message: "24" } }] });
  const ends = log.lines.filter(({ message }) => /^(job|run) finished$/.test(message)).map(({ level }) => level);
  expect(ends).toEqual(["error", "error", "warn", "warn"]);
});

test("what rsync prints per file is for debug, what it complains about and commands print for info", () => {
  const { events, log } = start();
  events.emit("action:output", { ...of, stream: "stdout", line: ">f+++ a" });
  events.emit("action:output", { ...of, stream: "stderr", line: "rsync: denied" });
  events.emit("action:output", { ...of, actionId: "dump", stream: "stdout", line: "done" });
  expect(log.lines.map(({ level, fields }) => [level, fields["line"]])).toEqual([
    ["debug", ">f+++ a"],
    ["info", "rsync: denied"],
    ["info", "done"],
  ]);
});

test("an action that floods its output does not flood the log, and the log says how much is missing", () => {
  const { events, log } = start();
  for (let number = 0; number < 10_000; number += 1) {
    events.emit("action:output", { ...of, actionId: "dump", stream: "stdout", line: `line ${number}` });
  }
  events.emit("action:finished", {
    ...of,
    actionId: "dump",
    outcome: { kind: "ok", report: report() },
    startedAt: 0,
    at: 1,
  });
  expect(log.messages("info").filter((message) => message === "action output")).toHaveLength(500);
  expect(log.messages("warn")).toEqual(["action writes too much, the rest is not logged"]);
  expect(log.lines.at(-1)?.fields["linesLeftOut"]).toBe(9500);
});

test("the output of each action and try is bounded by itself, also of two that take turns", () => {
  const { events, log } = start();
  const tries = [
    { ...of, actionId: "dump" },
    { ...of, actionId: "dump", attempt: 2 },
    { ...of, actionId: "load" },
  ];
  const write = (lines: number) => {
    for (let number = 0; number < lines; number += 1) {
      for (const each of tries) events.emit("action:output", { ...each, stream: "stdout", line: "x" });
    }
  };
  const written = () => log.messages("info").filter((message) => message === "action output").length;
  write(600);
  expect(written()).toBe(1500);
  for (const each of tries) {
    events.emit("action:finished", { ...each, outcome: { kind: "ok", report: report() }, startedAt: 0, at: 1 });
  }
  // The same action in the next run begins anew.
  write(1);
  expect(written()).toBe(1503);
});

test("one endless line is cut", () => {
  const { events, log } = start();
  events.emit("action:output", { ...of, stream: "stderr", line: "x".repeat(1e6) });
  expect(String(log.lines[0]?.fields["line"])).toHaveLength(4096);
});

test("locks are told with their token under a name that is not taken for a secret", () => {
  const { events, log } = start();
  const lock = { runId: "r1", jobId: "home", place: { host: "nas", path: "/lock" }, token: "t1", at: 0 };
  events.emit("lock:acquired", lock);
  events.emit("lock:stuck", { ...lock, detail: "unreachable" });
  const fields = { run: "r1", job: "home", host: "nas", path: "/lock", lock: "t1" };
  expect(log.lines).toEqual([
    { level: "info", message: "lock acquired", fields },
    {
      level: "error",
      message: expect.stringContaining("lock was not given back"),
      fields: { ...fields, detail: "unreachable" },
    },
  ]);
});

test("a wait says for what, and is a warning when nobody knows", () => {
  const { events, log } = start();
  const blocked = { runId: "r1", jobId: "home", place: { host: null, path: "/lock" }, owner: "12", detail: "", at: 0 };
  events.emit("job:blocked", { ...blocked, state: "held" });
  events.emit("job:blocked", { ...blocked, state: "unknown" });
  expect(log.lines.map(({ level }) => level)).toEqual(["info", "warn"]);
  expect(log.lines[0]?.fields).toMatchObject({ path: "/lock", owner: "12", state: "held" });
});

test("after the end nothing is logged", () => {
  const { events, log, stop } = start();
  stop();
  emitRun(events, { runId: "r1", at: 0, jobs: [{ id: "home" }] });
  expect(log.lines).toEqual([]);
});

test("what happens to a lease is told with its lock, ages and causes; signs of life are not told", () => {
  const { events, log } = start();
  const lock = { runId: "r1", jobId: "home", place: { host: "nas", path: "/lock" }, token: "t1", at: 0 };
  events.emit("lock:beat", lock);
  events.emit("lock:suspect", { ...lock, ageMs: 31_000, detail: "no answer" });
  events.emit("lock:confirmed", { ...lock, ageMs: 36_000 });
  events.emit("lock:lost", { ...lock, ageMs: 480_000, cause: "unreachable", detail: "no answer" });
  events.emit("lock:broken", { ...lock, owner: "job x", ageSeconds: 700, observedMs: 120_000, because: "silent" });
  events.emit("lock:foreign", { ...lock, owner: "1234", ageSeconds: Number.NaN });
  const place = { run: "r1", job: "home", host: "nas", path: "/lock" };
  const ours = { ...place, lock: "t1" };
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ["warn", { ...ours, age: "31s", detail: "no answer" }],
    ["info", { ...ours, age: "36s" }],
    ["error", { ...ours, age: "8m", cause: "unreachable", detail: "no answer" }],
    ["warn", { ...ours, owner: "job x", age: "11m 40s", observed: "2m", because: "silent" }],
    ["warn", { ...place, owner: "1234", age: "unknown" }],
  ]);
});
