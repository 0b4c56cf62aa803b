import { once } from "node:events";
import { request } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { OperatorError } from "../../src/base/errors.ts";
import { startMetricsListener, type Health, type MetricsListenerOptions } from "../../src/web/metrics-listener.ts";
import { createMemoryLog } from "../support/memory-log.ts";

const noRetry = { startupTimeoutMs: 0, startupRetryWaitMs: 10, startupRetryLimit: 0 };

async function start(overrides: Partial<MetricsListenerOptions> = {}) {
  const log = createMemoryLog();
  const listener = await startMetricsListener({
    listen: { addr: "127.0.0.1", port: 0, ...noRetry },
    metrics: {
      scrape: () => Promise.resolve([Buffer.from("up "), Buffer.from("1\n")]),
      contentType: "text/plain; version=0.0.4; charset=utf-8",
    },
    health: () => ({ status: "ok", history: "ok" }),
    clock: systemClock,
    signal: new AbortController().signal,
    log,
    ...overrides,
  });
  onTestFinished(() => listener.close());
  const url = (path: string) => `http://127.0.0.1:${listener.address().port}${path}`;
  return { listener, log, url, port: listener.address().port };
}

/** Sends raw bytes; resolves to everything that came back when the server has closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

test("serves the metrics and its health", async () => {
  const { url } = await start();
  const metrics = await fetch(url("/metrics?name[]=up"));
  expect([metrics.status, metrics.headers.get("content-type"), await metrics.text()]).toEqual([
    ...[200, "text/plain; version=0.0.4; charset=utf-8", "up 1\n"],
  ]);
  const health = await fetch(url("/healthz"));
  expect([health.status, await health.json()]).toEqual([200, { status: "ok", history: "ok" }]);
});

test("HEAD answers with the same headers and no body", async () => {
  const { url } = await start();
  const answer = await fetch(url("/metrics"), { method: "HEAD" });
  expect([answer.status, answer.headers.get("content-length"), await answer.text()]).toEqual([200, "5", ""]);
});

test("is alive, though degraded, while the history does not work", async () => {
  const health: Health = { status: "degraded", history: "failing" };
  const { url } = await start({ health: () => health });
  const answer = await fetch(url("/healthz"));
  expect([answer.status, await answer.json()]).toEqual([200, health]);
});

test.each([
  ["GET", "/", 404],
  ["GET", "/metrics/", 404],
  ["GET", "//metrics", 404],
  ["GET", "/../metrics", 404],
  ["POST", "/metrics", 405],
  ["DELETE", "/healthz", 405],
  ["OPTIONS", "/metrics", 405],
  ["POST", "/run", 404],
])("%s %s is refused with %i", async (method, path, status) => {
  const { port } = await start();
  const sent = request({ port, method, path, host: "127.0.0.1" }).end();
  const [answer] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(status);
});

test("an error inside shows nothing of itself, and the listener goes on", async () => {
  const { url, log } = await start({ health: () => fail() });
  const fail = () => {
    throw new Error("secret /path");
  };
  const answer = await fetch(url("/healthz"));
  expect([answer.status, await answer.text()]).toEqual([500, "internal error\n"]);
  expect(log.messages("error")).toEqual(["metrics request failed"]);
  expect((await fetch(url("/metrics"))).status).toBe(200);
});

test("refuses a body", async () => {
  const { port } = await start();
  const big = `GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n${"x".repeat(100_000)}`;
  expect(await exchange(port, big)).toMatch(/^HTTP\/1\.1 413 /);
  const chunked = "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  expect(await exchange(port, chunked)).toMatch(/^HTTP\/1\.1 413 /);
});

test.each([
  ["nonsense", "nonsense\r\n\r\n"],
  ["headers beyond all measure", `GET /metrics HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
])("answers %s with 400 and closes", async (_what, bytes) => {
  const { port, url } = await start();
  expect(await exchange(port, bytes)).toMatch(/^HTTP\/1\.1 400 /);
  expect((await fetch(url("/metrics"))).status).toBe(200);
});

test("holds at most sixteen connections", async () => {
  const { port } = await start();
  const sockets = Array.from({ length: 20 }, () => connect(port, "127.0.0.1"));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  let closed = 0;
  const fourClosed = new Promise<void>((resolve) => {
    for (const socket of sockets)
      socket.on("error", () => undefined).on("close", () => void (++closed === 4 && resolve()));
  });
  await fourClosed;
  expect(sockets.filter((socket) => !socket.destroyed)).toHaveLength(16);
});

test("stops at once though a client holds its connection open", async () => {
  const { listener, port } = await start();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  const closed = once(socket, "close");
  await listener.close();
  await closed;
  await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow("fetch failed");
});

async function takePort() {
  const other = createServer();
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  return { other, port: (other.address() as AddressInfo).port };
}

test("a taken port is an error for the operator that names address, port and key", async () => {
  const { port } = await takePort();
  const failure = start({ listen: { addr: "127.0.0.1", port, ...noRetry } });
  await expect(failure).rejects.toThrow(OperatorError);
  await expect(failure).rejects.toThrow(`metrics.port: 127.0.0.1:${port} is in use by another program`);
});

test("an address of another host is an error that names the key", async () => {
  const failure = start({ listen: { addr: "192.0.2.1", port: 9090, ...noRetry } });
  await expect(failure).rejects.toThrow("metrics.addr: 192.0.2.1 is not an address of this host");
});

test("a port that becomes free in time is taken", async () => {
  const { other, port } = await takePort();
  const listen = { addr: "127.0.0.1", port, startupTimeoutMs: 20_000, startupRetryWaitMs: 50, startupRetryLimit: 100 };
  const log = createMemoryLog();
  const warned = log.warn;
  log.warn = (fields, message) => {
    warned(fields, message);
    other.close();
  };
  const { url } = await start({ listen, log });
  expect((await fetch(url("/healthz"))).status).toBe(200);
  expect(log.messages("warn")[0]).toBe("metrics address is not free yet");
});

test("waiting for a port ends with the program", async () => {
  const { port } = await takePort();
  const controller = new AbortController();
  const listen = { addr: "127.0.0.1", port, startupTimeoutMs: 1e9, startupRetryWaitMs: 1e8, startupRetryLimit: 100 };
  const log = createMemoryLog();
  log.warn = () => controller.abort();
  await expect(start({ listen, signal: controller.signal, log })).rejects.toThrow(OperatorError);
});
