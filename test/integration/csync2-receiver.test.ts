import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createReceiver } from "../../src/action/csync2/receiver.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { waitUntil } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

describe("a check while csync2's service takes files in", () => {
  /** Begins to wait, with `names` beside the database; time passes by `advance` alone. */
  async function begin(options: {
    names?: readonly string[];
    opts?: (directory: string) => readonly string[];
    silent?: Map<string, string>;
  }) {
    const { names = [], opts = (path: string) => ["-D", path], silent = new Map<string, string>() } = options;
    const directory = await makeTempDir();
    for (const name of names) await writeFile(join(directory, name), "");
    const clock = new FakeClock();
    const abort = new AbortController();
    let end: string | undefined;
    const receiver = createReceiver({ opts: opts(directory), hostname: "Alpha" }, silent);
    const waited = receiver.settle({ clock, signal: abort.signal }).then((how) => (end = how));
    const isWaiting = () => waitUntil("it waits", () => Promise.resolve(clock.pendingTimers === 1));
    /** Lets the time go on in steps until the wait is over. */
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms && end === undefined; passed += 400) {
        await clock.advance(400);
        await waitUntil("it waits, or is done", () => Promise.resolve(clock.pendingTimers === 1 || end !== undefined));
      }
    };
    return { directory, clock, abort, receiver, waited, isWaiting, pass, end: () => end };
  }

  async function listen(): Promise<{ port: number; connectPeer: () => Promise<{ leave: () => Promise<void> }> }> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      port,
      connectPeer: async () => {
        const accepted = once(server, "connection");
        const peer = connect(port, "127.0.0.1");
        await once(peer, "connect");
        const [served] = await accepted;
        const leave = async () => {
          if (peer.destroyed) return;
          const closed = once(served, "close");
          served.resume();
          peer.destroy();
          await closed;
        };
        onTestFinished(leave);
        return { leave };
      },
    };
  }

  it("begins at once when nobody is connected and no transaction is open, whoever else has one", async () => {
    const { waited } = await begin({ names: ["alpha.db3", "beta.db3", "beta.db3-journal"] });
    expect(await waited).toBe("settled");
  });

  it.each([
    ["-D DIR", (directory: string) => ["-B", "-D", directory]],
    ["-BDDIR", (directory: string) => [`-BD${directory}`]],
  ])("waits for the commit (%s)", async (_name, opts) => {
    const { directory, clock, waited, isWaiting, end } = await begin({ names: ["alpha_web.db3-journal"], opts });
    await isWaiting();
    await clock.advance(50);
    await isWaiting();
    expect(end()).toBeUndefined();
    await rm(join(directory, "alpha_web.db3-journal"));
    await clock.advance(400);
    expect(await waited).toBe("settled");
  });

  it.each([
    ["-p PORT", (port: number) => ["-p", String(port)]],
    ["-Bp PORT", (port: number) => ["-Bp", String(port)]],
  ])("waits as long as a peer is connected (%s)", async (_name, opts) => {
    const { port, connectPeer } = await listen();
    const place = { opts: (directory: string) => ["-D", directory, ...opts(port)] };
    expect(await (await begin(place)).waited).toBe("settled");
    const peer = await connectPeer();
    const { clock, receiver, waited, isWaiting, end } = await begin(place);
    await isWaiting();
    await clock.advance(50);
    await isWaiting();
    expect(end()).toBeUndefined();
    expect(await receiver.isBusy()).toBe(true);
    await peer.leave();
    await clock.advance(400);
    expect(await waited).toBe("settled");
    expect(await receiver.isBusy()).toBe(false);
  });

  it("waits for a peer from which something comes, and not for one that is silent, nor for that one again", async () => {
    const { port, connectPeer } = await listen();
    const directory = await makeTempDir();
    await writeFile(join(directory, "alpha.db3"), "");
    const silent = new Map<string, string>();
    const place = { opts: () => ["-D", directory, "-p", String(port)], silent };
    await connectPeer();
    const first = await begin(place);
    await first.isWaiting();
    await first.pass(14_000);
    await writeFile(join(directory, "alpha.db3"), "another file is written down");
    await first.pass(14_000);
    expect(first.end()).toBeUndefined();
    await first.pass(2000);
    expect(await first.waited).toBe("given up");
    expect(await (await begin(place)).waited).toBe("settled");
    // It was a long file, and others come after it.
    await writeFile(join(directory, "alpha.db3"), "one more");
    const again = await begin(place);
    await again.isWaiting();
    await again.pass(16_000);
    expect(await again.waited).toBe("given up");
    expect(await (await begin(place)).waited).toBe("settled");
    // Another connection is waited for.
    const lively = await connectPeer();
    const second = await begin(place);
    await second.isWaiting();
    await lively.leave();
    await second.clock.advance(400);
    expect(await second.waited).toBe("settled");
  });

  it("waits once for a journal that was left behind", async () => {
    const directory = await makeTempDir();
    await writeFile(join(directory, "alpha.db3-journal"), "");
    const place = { opts: () => ["-D", directory], silent: new Map<string, string>() };
    const first = await begin(place);
    await first.isWaiting();
    await first.pass(16_000);
    expect(await first.waited).toBe("given up");
    expect(await (await begin(place)).waited).toBe("settled");
  });

  it("waits ten minutes at most in a run, also where something comes all the time", async () => {
    const { port, connectPeer } = await listen();
    const directory = await makeTempDir();
    await connectPeer();
    const { clock, isWaiting, end, waited, receiver, abort } = await begin({
      opts: () => ["-D", directory, "-p", String(port)],
    });
    for (let minute = 1; minute <= 60; minute += 1) {
      await isWaiting();
      expect(end()).toBeUndefined();
      await writeFile(join(directory, "alpha.db3"), "x".repeat(minute));
      clock.suspend(10_000);
      await clock.advance(400);
      await waitUntil("it waits, or is done", () => Promise.resolve(clock.pendingTimers === 1 || end() !== undefined));
      if (end() !== undefined) break;
    }
    expect(await waited).toBe("given up");
    expect(await receiver.settle({ clock, signal: abort.signal })).toBe("given up");
  });

  it("ends at once when it is to stop", async () => {
    const { isWaiting, abort, waited } = await begin({ names: ["alpha.db3-journal"] });
    await isWaiting();
    abort.abort();
    expect(await waited).toBe("given up");
  });
});
