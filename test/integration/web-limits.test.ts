import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";
import { ask } from "../support/web-client.ts";
import { startTestListeners } from "../support/web-listeners.ts";

function dial(where: string | number): Socket {
  const socket = typeof where === "string" ? connect(where) : connect(where, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return socket.on("error", () => undefined);
}

/** Sends some bytes and no more; resolves to what came when the other side has closed. */
async function sendAndWait(where: string | number, bytes: string): Promise<string> {
  const socket = dial(where);
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

const body = "POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";

test.each([
  ["nothing at all", ""],
  ["half a line", "GET /api/v1/st"],
  ["headers without end", "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-A: b\r\n"],
  ["half a body", body],
])("a client that sends %s is put out in time", async (_what, bytes) => {
  const limits = { headersMs: 50, requestMs: 100 };
  const { socket, control } = await startTestListeners({ limits: { socket: limits } });
  // The application is loaded, so that nothing but the client is slow.
  await ask(socket, "/api/v1/status");
  const answer = await sendAndWait(socket.socketPath, bytes);
  expect(answer).toMatch(/^(HTTP\/1\.1 408 |$)/);
  expect(control.calls).toEqual([]);
});

test.each([
  ["nonsense", "nonsense\r\n\r\n", 400],
  ["headers beyond all measure", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(40_000)}\r\n\r\n`, 431],
  ["no Host", "GET /api/v1/status HTTP/1.1\r\n\r\n", 400],
  ["another site's address", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
  ["a request to be passed on", "CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n", 0],
])("answers %s and closes", async (_what, bytes, status) => {
  const { socket, network } = await startTestListeners({ web: {} });
  for (const where of [socket.socketPath, network.port]) {
    const answer = await sendAndWait(where, bytes);
    expect(answer.slice(0, 12)).toBe(status === 0 ? "" : `HTTP/1.1 ${status}`);
  }
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test.each([
  ["the control socket", "socket", 64],
  ["TCP", "network", 64],
] as const)("%s holds at most so many connections", async (_what, which, most) => {
  const { socket, network } = await startTestListeners({ web: {} });
  const sockets = Array.from({ length: most + 4 }, () => dial(which === "socket" ? socket.socketPath : network.port));
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const each of sockets) each.on("close", () => void (++closed === 4 && resolve()));
  });
  expect(sockets.filter((each) => !each.destroyed)).toHaveLength(most);
});

test("a full listener does not keep the other from answering", async () => {
  const { socket, network } = await startTestListeners({ web: {}, limits: { network: { connections: 1 } } });
  const only = dial(network.port);
  await once(only, "connect");
  await expect(ask(network, "/api/v1/status")).rejects.toThrow(/ECONNRESET|socket hang up/);
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test("a stop does not wait for a client that holds its connection open", async () => {
  const { socket, network, listeners } = await startTestListeners({ web: {} });
  const idle = [dial(socket.socketPath), dial(network.port)];
  await Promise.all(idle.map((each) => once(each, "connect")));
  const asking = dial(socket.socketPath);
  asking.write(body);
  const closed = [...idle, asking].map((each) => once(each, "close"));
  await listeners.close();
  await expect(Promise.all(closed)).resolves.toHaveLength(3);
});

test("the libraries are loaded for the first request that is admitted, and pino never", async () => {
  const program = join(import.meta.dirname, "../support/lazy-listeners-process.ts");
  const socketPath = join(await makeTempDir(), "rsyncdirector-test.sock");
  const { stdout } = await execa(process.execPath, ["--import", "tsx", program, socketPath]);
  const seen = JSON.parse(stdout) as Record<"before" | "afterRefusal" | "after", string[]> & { statuses: number[] };
  const heavy = ["fastify", "ajv", "find-my-way", "fast-json-stringify", "pino"];
  const loaded = (names: string[]) => heavy.filter((name) => names.includes(name));
  expect(seen).toMatchObject({ refused: 403, statuses: [200, 200, 404] });
  expect(loaded(seen.before)).toEqual([]);
  expect(loaded(seen.afterRefusal)).toEqual([]);
  expect(loaded(seen.after)).toEqual(expect.arrayContaining(["fastify", "ajv", "find-my-way"]));
  expect(seen.after).not.toContain("pino");
});
