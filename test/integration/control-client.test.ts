import { createServer, type Server } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { Emitter } from "../../src/base/emitter.ts";
import { createControlClient } from "../../src/cli/control/control-client.ts";
import { followLogs } from "../../src/cli/control/follow-logs.ts";
import { followRun } from "../../src/cli/control/follow-run.ts";
import type { DirectorEvents } from "../../src/model/events.ts";
import type { DirectorEvent } from "../../src/web/director-control.ts";
import { runningRunId, sampleNow } from "../support/status-samples.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { startTestListeners } from "../support/web-listeners.ts";

async function prepare() {
  const { control, listeners, socket } = await startTestListeners();
  const client = createControlClient(socket.socketPath, { withinMs: 60_000 });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  const heard: string[] = [];
  events.on("action:output", ({ line }) => void heard.push(line));
  const output = (runId: string, line: string, jobId = "home") =>
    control.emit("action:output", { runId, jobId, actionId: "copy", targetId: "", attempt: 1, stream: "stdout", line });
  return { control, listeners, client, stop, events, heard, output };
}

const cause = { kind: "signal" } as const;
const end = (runId: string): DirectorEvents["run:finished"] => ({
  ...{ runId, cause, startedAt: sampleNow, finishedAt: sampleNow + 1000, outcome: "warning", jobs: [] },
});

describe("a director that answers", () => {
  test("does what it is told, and says what it refuses", async () => {
    const { control, client } = await prepare();
    expect(await client.status()).toMatchObject({ kind: "answered", value: { rsyncId: "nas" } });
    expect(await client.run(["home"])).toMatchObject({ kind: "answered", value: { runId: expect.any(String) } });
    expect(await client.run(["nobody"])).toEqual({ kind: "refused", status: 404, message: 'there is no job "nobody"' });
    expect(await client.run(["archive"])).toMatchObject({ kind: "refused", status: 409 });
    expect(await client.pause("home", { seconds: 60, reason: "why" })).toMatchObject({
      kind: "answered",
      value: { reason: "why" },
    });
    expect(await client.resume("home")).toEqual({ kind: "answered", value: { wasPaused: true } });
    expect(await client.cancel(runningRunId)).toEqual({ kind: "answered", value: { runId: runningRunId } });
    expect(await client.reload()).toMatchObject({ kind: "answered", value: { ok: true } });
    control.reloadAnswer = { ok: false, message: "bad", problems: ["x.yaml:1: no"] };
    expect(await client.reload()).toEqual({
      kind: "answered",
      value: { ok: false, message: "bad", problems: ["x.yaml:1: no"] },
    });
    const names = control.calls.map(([name]) => name);
    expect(names).toEqual(["run", "run", "run", "pause", "resume", "cancel", "reload", "reload"]);
  });

  test("tells its status at once and when it changes", async () => {
    const { control, client, stop } = await prepare();
    const asked = await client.followStatus(stop.signal);
    if (asked.kind !== "answered") throw new Error(asked.kind);
    const versions: string[] = [];
    for await (const { version } of asked.value) {
      versions.push(version);
      if (versions.length === 1) control.setStatus({ version: "9" });
      else stop.abort();
    }
    expect(versions).toEqual(["0.1.0", "9"]);
  });
});

describe("following a run", () => {
  test("tells what it did before and does now, to its end", async () => {
    const { control, client, stop, events, heard, output } = await prepare();
    output(runningRunId, "before");
    output("another", "not this one");
    events.on("action:output", ({ line }) => {
      if (line !== "before") return;
      output(runningRunId, "after");
      control.emit("run:finished", end(runningRunId));
    });
    const followed = await followRun(client, runningRunId, { events, signal: stop.signal, onGap: () => expect.fail() });
    expect(followed).toMatchObject({ kind: "finished", result: { outcome: "warning" } });
    expect(heard).toEqual(["before", "after"]);
  });

  test("ends when nobody wants to follow any more", async () => {
    const { client, stop, events, output } = await prepare();
    events.on("action:output", () => stop.abort());
    output(runningRunId, "one");
    const followed = await followRun(client, runningRunId, { events, signal: stop.signal, onGap: () => expect.fail() });
    expect(followed).toEqual({ kind: "stopped" });
  });

  test("is lost with the director, which is not taken for the end of the run", async () => {
    const { client, listeners, stop, events, output } = await prepare();
    let gaps = 0;
    events.on("action:output", () => void listeners.close());
    output(runningRunId, "one");
    const followed = await followRun(client, runningRunId, {
      ...{ events, signal: stop.signal },
      onGap: () => void (gaps += 1),
    });
    expect(followed).toMatchObject({ kind: "lost" });
    expect(gaps).toBe(1);
  });
});

test("logs tell a run under way from its beginning and others from now on, each once, of one job", async () => {
  const { control, client, stop, events, heard, output } = await prepare();
  output(runningRunId, "early");
  output(runningRunId, "early mail", "mail");
  events.on("action:output", ({ line }) => {
    if (line === "early") output(runningRunId, "late");
    if (line === "late") output("20261129-230000-aaaaaa", "new run");
    if (line === "new run") stop.abort();
  });
  const followed = await followLogs(client, { jobId: "home", events, signal: stop.signal });
  expect(followed).toEqual({ kind: "answered", value: "stopped" });
  expect(heard).toEqual(["early", "late", "new run"]);
  await expect.poll(() => control.listeners().events).toBe(0);
});

describe("a director that does not answer", () => {
  const askStatus = (socketPath: string) => createControlClient(socketPath, { withinMs: 100 }).status();

  /** Something on a socket that is no director of ours. */
  async function answering(onConnection: Parameters<typeof createServer>[1]): Promise<string> {
    const path = join(await makeTempDir(), "x.sock");
    const server: Server = createServer(onConnection);
    onTestFinished(() => void server.close());
    await once(server.listen(path), "listening");
    return path;
  }

  test("is gone where there is no socket, or one that nobody listens on", async () => {
    const directory = await makeTempDir();
    expect(await askStatus(join(directory, "none.sock"))).toEqual({ kind: "gone" });
    await writeFile(join(directory, "file.sock"), "");
    expect(await askStatus(join(directory, "file.sock"))).toEqual({ kind: "gone" });
  });

  test("is silent when it takes the question and gives no answer", async () => {
    expect(await askStatus(await answering(() => undefined))).toEqual({ kind: "silent", withinMs: 100 });
  });

  test("is silent when its answer does not end", async () => {
    const path = await answering((socket) => {
      socket.on("error", () => undefined).write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":');
    });
    expect(await askStatus(path)).toEqual({ kind: "silent", withinMs: 100 });
  });

  test("is gone when it hangs up, and UNKNOWN when it speaks another language", async () => {
    expect(await askStatus(await answering((socket) => void socket.destroy()))).toEqual({ kind: "gone" });
    const path = await answering((socket) => {
      socket.on("error", () => undefined).end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
    });
    expect(await askStatus(path)).toEqual({ kind: "unknown", detail: "it answered 200 and no JSON" });
  });

  test("ends a stream when the connection breaks", async () => {
    const { client, listeners, stop } = await prepare();
    const asked = await client.followEvents(undefined, stop.signal);
    if (asked.kind !== "answered") throw new Error(asked.kind);
    const ended = collect(asked.value);
    await listeners.close();
    expect(await ended).toEqual([]);
  });
});

async function collect(events: AsyncIterable<DirectorEvent>): Promise<DirectorEvent[]> {
  const all: DirectorEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}
