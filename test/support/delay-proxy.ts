import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";

/** A piece of a stream that the proxy handles as one: what one read returned, or what `split` makes of it. */
export interface ProxyMessage {
  readonly from: "client" | "server";
  /** 1 for the first connection since the proxy was started. */
  readonly connection: number;
  /** 1 for the first message on this connection, whichever side sent it. */
  readonly number: number;
  readonly bytes: number;
}

/**
 * What becomes of a message. `stop`: nothing passes in this direction any more, from this message on;
 * `stop-both`: in neither; `reset`: both ends see a reset, without the message; `tear`: half of it is passed on first.
 */
export type Fate = "pass" | "stop" | "stop-both" | "reset" | "tear";

export interface ProxyRules {
  /** Milliseconds on the way to the server and back; may be changed at any time. No message overtakes another. */
  toServerMs: number | ((message: ProxyMessage) => number);
  toClientMs: number | ((message: ProxyMessage) => number);
  /** Asked as a message arrives. */
  fate: (message: ProxyMessage) => Fate;
}

export interface DelayProxy {
  readonly port: number;
  /** May be changed at any time; what is under way keeps its delay. */
  readonly rules: ProxyRules;
  /** Connections since the start, and messages of all of them. */
  readonly connections: number;
  readonly messages: number;
  /** Resets every connection there is. */
  resetAll(): void;
  close(): Promise<void>;
}

export interface DelayProxyOptions extends Partial<ProxyRules> {
  readonly target: { readonly host: string; readonly port: number };
  readonly port?: number;
  /** Makes a function that cuts one direction of one connection into messages; what is incomplete it keeps. */
  readonly split?: () => (chunk: Buffer) => readonly Buffer[];
}

/** So much may be under way in one direction before its sender has to wait. */
const windowBytes = 16 * 1024 * 1024;

/** A TCP proxy on loopback that delays, stops, tears and resets. Needs neither root nor netem. */
export async function startDelayProxy(options: DelayProxyOptions): Promise<DelayProxy> {
  const { target, split = () => (chunk: Buffer) => [chunk] } = options;
  const { toServerMs = 0, toClientMs = 0, fate = () => "pass" as const } = options;
  const rules: ProxyRules = { toServerMs, toClientMs, fate };
  const pairs = new Set<{ reset(): void }>();
  let connections = 0;
  let messages = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    connections += 1;
    const connection = connections;
    let number = 0;
    let stopped = false;
    const far = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
    const reset = () => {
      pairs.delete(pair);
      for (const socket of [client, far]) resetSocket(socket);
    };
    const pair = { reset };
    pairs.add(pair);
    const judge = (from: ProxyMessage["from"], bytes: number) => {
      messages += 1;
      number += 1;
      const message = { from, connection, number, bytes };
      const delay = from === "client" ? rules.toServerMs : rules.toClientMs;
      const decided = stopped ? "stop" : rules.fate(message);
      if (decided === "stop-both") stopped = true;
      return { fate: decided, delayMs: typeof delay === "number" ? delay : delay(message) };
    };
    forward({ source: client, sink: far, cut: split(), judge: (bytes) => judge("client", bytes), reset });
    forward({ source: far, sink: client, cut: split(), judge: (bytes) => judge("server", bytes), reset });
    // One side may be gone for long while the other is kept in the dark.
    let open = 2;
    for (const socket of [client, far]) {
      socket.on("error", reset).on("close", () => {
        open -= 1;
        if (open === 0) pairs.delete(pair);
      });
    }
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const resetAll = () => {
    for (const pair of [...pairs]) pair.reset();
  };
  return {
    port: address.port,
    rules,
    get connections() {
      return connections;
    },
    get messages() {
      return messages;
    },
    resetAll,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      resetAll();
      await closed;
    },
  };
}

/** By itself `resetAndDestroy` says goodbye before the reset, which peers may take for a proper end. */
function resetSocket(socket: Socket): void {
  socket.destroySoon = () => void socket.destroy();
  socket.resetAndDestroy();
}

interface Direction {
  readonly source: Socket;
  readonly sink: Socket;
  readonly cut: (chunk: Buffer) => readonly Buffer[];
  readonly judge: (bytes: number) => { readonly fate: Fate; readonly delayMs: number };
  readonly reset: () => void;
}

function forward({ source, sink, cut, judge, reset }: Direction): void {
  const line = createDelayLine();
  let silent = false;
  let waiting = 0;
  const pass = (bytes: Buffer, delayMs: number) => {
    waiting += bytes.length;
    if (waiting > windowBytes) source.pause();
    line.add(delayMs, () => {
      waiting -= bytes.length;
      if (waiting <= windowBytes / 2) source.resume();
      if (sink.writable) sink.write(bytes);
    });
  };
  source.on("data", (chunk: Buffer) => {
    for (const message of cut(chunk)) {
      if (silent) return;
      const { fate, delayMs } = judge(message.length);
      if (fate === "pass") pass(message, delayMs);
      else if (fate === "tear") pass(message.subarray(0, message.length >> 1), delayMs);
      silent = fate !== "pass";
      // Behind what is still on its way, as a reset is.
      if (fate === "reset" || fate === "tear") line.add(delayMs, reset);
    }
  });
  // A side that fell silent ends nothing either: the other one cannot know.
  source.on("end", () => void (silent || line.add(0, () => sink.end())));
  source.on("close", () => void (source.errored === null || reset()));
}

/** Does things later, in the order in which they were added. */
function createDelayLine(): { add(ms: number, act: () => void): void } {
  const queue: { readonly due: number; readonly act: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const run = () => {
    timer = undefined;
    while (queue[0] !== undefined && queue[0].due <= performance.now()) queue.shift()?.act();
    const next = queue[0];
    if (next !== undefined) timer ??= setTimeout(run, next.due - performance.now());
  };
  return {
    add: (ms, act) => {
      if (ms <= 0 && queue.length === 0) return act();
      const due = Math.max(performance.now() + ms, queue.at(-1)?.due ?? 0);
      queue.push({ due, act });
      timer ??= setTimeout(run, due - performance.now());
    },
  };
}
