import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { type DelayProxyOptions, startDelayProxy } from "../support/delay-proxy.ts";

/** A server that sends everything back, a proxy before it, and a client that is connected through it. */
async function open(options: Partial<DelayProxyOptions> = {}) {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => undefined).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const proxy = await startDelayProxy({ ...options, target: { host: "127.0.0.1", port: address.port } });
  const client = createConnection({ host: "127.0.0.1", port: proxy.port, allowHalfOpen: true });
  onTestFinished(async () => {
    client.destroy();
    await proxy.close();
    server.close();
  });
  await once(client, "connect");
  return { proxy, client };
}

const nextChunk = async (socket: Socket) => String((await once(socket, "data"))[0]);

describe("the delay proxy", () => {
  it("passes everything on, in order, to the end", async () => {
    const { client, proxy } = await open({ toServerMs: () => 5 * Math.random(), toClientMs: 2 });
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`);
    for (const line of lines) client.write(line);
    client.end();
    expect(await text(client)).toBe(lines.join(""));
    expect(proxy.connections).toBe(1);
  });

  it("delays each way by as much as it is told", async () => {
    const { client } = await open({ toServerMs: 60, toClientMs: 40 });
    const sent = performance.now();
    client.write("there and back");
    expect(await nextChunk(client)).toBe("there and back");
    // A delay that is too short is a fault; one that is too long may be the machine's.
    expect(performance.now() - sent).toBeGreaterThanOrEqual(99);
  });

  it("resets at the message that it is told, which is not delivered", async () => {
    const { client } = await open({ fate: ({ number }) => (number === 3 ? "reset" : "pass") });
    client.write("one");
    expect(await nextChunk(client)).toBe("one");
    client.write("two");
    await expect(nextChunk(client)).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("delivers half of a message that it tears", async () => {
    const { client } = await open({ fate: ({ from }) => (from === "server" ? "tear" : "pass") });
    // A peer that reads in time may take a reset right behind the data for an end (libuv does).
    const over = Promise.race(["error", "end"].map((event) => once(client, event)));
    let seen = "";
    client.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    client.write("1234");
    await over;
    expect(seen).toBe("12");
  });

  it("falls silent in one direction, and the other goes on", async () => {
    const { client, proxy } = await open();
    proxy.rules.fate = ({ from }) => (from === "server" ? "stop" : "pass");
    client.write("one");
    client.write("two");
    client.on("data", () => expect.unreachable("an answer came through"));
    client.end();
    while (proxy.messages < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(client.destroyed).toBe(false);
  });
});
