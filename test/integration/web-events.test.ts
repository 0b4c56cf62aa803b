import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { connect, Socket } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { DirectorEvents } from "../../src/model/events.ts";
import { createEventStreams } from "../../src/web/event-stream.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import {
  failedRunId,
  finishedRunId,
  runningRunId,
  sampleJob,
  sampleJobs,
  sampleTarget,
} from "../support/status-samples.ts";
import { ask, followEvents } from "../support/web-client.ts";
import { startTestListeners } from "../support/web-listeners.ts";

const of = { runId: runningRunId, jobId: "home", actionId: "copy", targetId: "", attempt: 1 };

function outputLine(line: string): DirectorEvents["action:output"] {
  return { ...of, stream: "stdout", line };
}

function endOfRun(runId = runningRunId): DirectorEvents["run:finished"] {
  return { runId, cause: { kind: "signal" }, startedAt: 1, finishedAt: 2, outcome: "ok", jobs: [] };
}

describe("the events of a run", () => {
  test("are what it has done, what it does, and its end", async () => {
    const { socket, control } = await startTestListeners();
    control.emit("action:output", outputLine("before"));
    control.emit("action:output", { ...outputLine("of another run"), runId: "other" });
    const events = await followEvents(socket, `/api/v1/runs/${runningRunId}/events`);
    expect(events.response.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(await events.next()).toEqual({ name: "action:output", data: outputLine("before") });
    control.emit("action:output", { ...outputLine("of another run"), runId: "other" });
    control.emit("action:output", outputLine("two\nlines"));
    control.emit("run:finished", endOfRun());
    expect(await events.next()).toEqual({ name: "action:output", data: outputLine("two\nlines") });
    expect(await events.next()).toEqual({ name: "run:finished", data: endOfRun() });
    expect(await events.next()).toBeUndefined();
    await expect.poll(() => control.listeners().events).toBe(0);
  });

  test("of one that ended a moment ago are told again", async () => {
    const { socket, control } = await startTestListeners();
    control.setStatus({ runs: [] });
    control.emit("action:output", outputLine("last words"));
    control.emit("run:finished", endOfRun());
    const events = await followEvents(socket, `/api/v1/runs/${runningRunId}/events`);
    expect((await events.next())?.name).toBe("action:output");
    expect(await events.next()).toEqual({ name: "run:finished", data: endOfRun() });
    expect(await events.next()).toBeUndefined();
  });

  test.each([
    [finishedRunId, { outcome: "ok", jobs: [expect.objectContaining({ jobId: "home", outcome: { kind: "ok" } })] }],
    [
      failedRunId,
      {
        outcome: "failed",
        jobs: [
          expect.objectContaining({
            jobId: "photos",
            outcome: { kind: "failed", message: expect.stringContaining("exit 23"), actionId: "copy" },
          }),
        ],
      },
    ],
  ])("of the old run %s are its recorded end", async (runId, end) => {
    const { socket, control } = await startTestListeners();
    const record = control.records.find((each) => each.runId === runId);
    const events = await followEvents(socket, `/api/v1/runs/${runId}/events`);
    expect(await events.next()).toEqual({
      name: "run:finished",
      data: { runId, cause: record?.cause, startedAt: record?.startedAt, finishedAt: record?.finishedAt, ...end },
    });
    expect(await events.next()).toBeUndefined();
  });

  test("of one that was interrupted end with what is known of it", async () => {
    const { socket, control } = await startTestListeners();
    const [first] = control.records;
    if (first === undefined) throw new Error("no sample");
    control.records.push({ ...first, runId: "cut-off", outcome: "failed", finishedAt: null, jobs: [] });
    const events = await followEvents(socket, "/api/v1/runs/cut-off/events");
    expect((await events.next())?.data).toMatchObject({ outcome: "failed", finishedAt: first.startedAt });
  });
});

test("all events can be followed, or those of one job", async () => {
  const { socket, control } = await startTestListeners();
  const all = await followEvents(socket, "/api/v1/events");
  const ofMail = await followEvents(socket, "/api/v1/events?job=mail");
  control.emit("action:output", outputLine("home"));
  control.emit("job:started", { runId: runningRunId, jobId: "mail", at: 1 });
  expect((await all.next())?.name).toBe("action:output");
  expect((await all.next())?.name).toBe("job:started");
  expect((await ofMail.next())?.name).toBe("job:started");
});

test("the status comes at once, then when it changes", async () => {
  const { socket, control } = await startTestListeners();
  const events = await followEvents(socket, "/api/v1/status/stream");
  const { length } = sampleJobs();
  expect(await events.next()).toMatchObject({ name: "status", data: { rsyncId: "nas", jobs: { length } } });
  control.setStatus({ jobs: [] });
  expect(await events.next()).toMatchObject({ name: "status", data: { jobs: { length: 0 } } });
});

test("the status of a thousand jobs with four targets comes whole", async () => {
  const targets = ["a", "b", "c", "d"].map((id) => sampleTarget(id));
  const jobs = Array.from({ length: 1000 }, (_, index) => sampleJob(`job-${index}`, { targets }));
  const { socket, control } = await startTestListeners();
  control.setStatus({ jobs });
  const events = await followEvents(socket, "/api/v1/status/stream");
  expect(await events.next()).toMatchObject({ name: "status", data: { jobs } });
});

test("what a client follows is let go when it goes away", async () => {
  const { socket, control } = await startTestListeners();
  const status = await followEvents(socket, "/api/v1/status/stream");
  const events = await followEvents(socket, "/api/v1/events");
  expect(control.listeners()).toEqual({ events: 1, status: 1 });
  status.response.destroy();
  events.response.destroy();
  await expect.poll(() => control.listeners()).toEqual({ events: 0, status: 0 });
});

test("a comment every 15 seconds keeps a quiet stream open", async () => {
  const clock = new FakeClock();
  const { socket } = await startTestListeners({ clock });
  const events = await followEvents(socket, "/api/v1/events");
  for (const _ of [1, 2, 3]) {
    await clock.advance(15_000);
    expect(await events.nextBlock()).toBe(": alive");
  }
});

/** A client that asks and never reads. */
async function deafClient(socketPath: string, path: string) {
  const client = connect(socketPath);
  onTestFinished(() => void client.destroy());
  client.on("error", () => undefined);
  client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(client, "readable");
  return client;
}

test("a client that does not read its events is dropped, and hurts nobody", async () => {
  const log = createMemoryLog();
  const { socket, control } = await startTestListeners({ log });
  await deafClient(socket.socketPath, "/api/v1/events");
  const reader = await followEvents(socket, "/api/v1/events");
  expect(control.listeners().events).toBe(2);
  const line = "x".repeat(64 * 1024);
  let read = 0;
  for (let sent = 0; sent < 200 && control.listeners().events === 2; sent += 1) {
    control.emit("action:output", outputLine(line));
    if ((await reader.next()) !== undefined) read += 1;
  }
  await expect.poll(() => control.listeners().events).toBe(1);
  expect(log.messages("info")).toContain("a client that does not read its events was dropped");
  control.emit("action:output", outputLine("still here"));
  expect((await reader.next())?.data).toEqual(outputLine("still here"));
  expect(read).toBeGreaterThan(10);
});

test("a client that is gone is found by the comments", async () => {
  const clock = new FakeClock();
  const log = createMemoryLog();
  const { socket, control } = await startTestListeners({ clock, log });
  await deafClient(socket.socketPath, "/api/v1/events");
  // More than the kernel takes for it, and less than what it is dropped for.
  for (let sent = 0; sent < 12; sent += 1) control.emit("action:output", outputLine("x".repeat(64 * 1024)));
  await clock.advance(15_000);
  expect(control.listeners().events).toBe(1);
  await clock.advance(15_000);
  await expect.poll(() => control.listeners().events).toBe(0);
  expect(log.messages("info")).toContain("a client that has gone was dropped");
});

test("whoever is behind gets the newest status, not all of them", async () => {
  const { socket, control } = await startTestListeners();
  const events = await followEvents(socket, "/api/v1/status/stream");
  const hostname = "h".repeat(256 * 1024);
  for (let pid = 1; pid <= 100; pid += 1) control.setStatus({ pid, hostname });
  const pids: number[] = [];
  while (pids.at(-1) !== 100) {
    const event = await events.next();
    if (event === undefined) throw new Error("the stream has ended");
    pids.push((event.data as { pid: number }).pid);
  }
  expect(pids.length).toBeLessThan(20);
  expect(control.listeners().status).toBe(1);
});

test("a client that has gone before its stream begins takes no place", async () => {
  const streams = createEventStreams({ limit: 1, clock: new FakeClock(), log: createMemoryLog() });
  const follow = vi.fn<() => () => void>(() => () => undefined);
  const gone = new ServerResponse(new IncomingMessage(new Socket()));
  gone.destroy();
  expect(streams.open(gone, follow)).toBe(true);
  expect(follow).not.toHaveBeenCalled();
  const here = new ServerResponse(new IncomingMessage(new Socket()));
  expect(streams.open(here, follow)).toBe(true);
  expect(follow).toHaveBeenCalledTimes(1);
  here.destroy();
});

test("a stream ends when what its client was admitted by is no more", async () => {
  const clock = new FakeClock();
  let admission = {};
  const streams = createEventStreams({ limit: 1, admission: () => admission, clock, log: createMemoryLog() });
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  streams.open(response, () => () => undefined);
  await clock.advance(15_000);
  expect(response.writableEnded).toBe(false);
  admission = {};
  response.emit("drain");
  await clock.advance(15_000);
  expect(response.writableEnded || response.destroyed).toBe(true);
});

test("there is room for other requests beside the streams", async () => {
  const { socket, control } = await startTestListeners({ limits: { socket: { streams: 2 } } });
  const first = await followEvents(socket, "/api/v1/events");
  await followEvents(socket, "/api/v1/status/stream");
  const third = await ask(socket, "/api/v1/events");
  expect([third.status, third.headers["retry-after"], third.json()]).toEqual([
    ...[503, "10", { error: "too many follow events already" }],
  ]);
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
  first.response.destroy();
  await expect.poll(() => control.listeners().events).toBe(0);
  expect((await followEvents(socket, "/api/v1/events")).response.statusCode).toBe(200);
});

test("a stop ends every stream at once", async () => {
  const { socket, listeners, control } = await startTestListeners();
  const events = await followEvents(socket, "/api/v1/events");
  await deafClient(socket.socketPath, "/api/v1/events");
  expect(control.listeners().events).toBe(2);
  await listeners.close();
  expect(await events.next()).toBeUndefined();
  expect(control.listeners().events).toBe(0);
});
