import type { ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { EventSink } from "./api-route.ts";

/** What a client may leave unread before it is dropped; bytes. */
const mostUnread = 1024 * 1024;
const heartbeatMs = 15_000;

export interface EventStreams {
  /** Answers with a stream of events; false: there are too many, and nothing was answered. */
  open(response: ServerResponse, follow: (sink: EventSink) => () => void): boolean;
  /** Ends all of them at once. */
  close(): void;
}

export interface EventStreamsOptions {
  /** So many at a time. */
  readonly limit: number;
  /** What clients are admitted by at this moment: when it is another than at a stream's begin, the stream ends. */
  readonly admission?: (() => unknown) | undefined;
  readonly clock: Pick<Clock, "setTimer">;
  readonly log: Logger;
}

/**
 * Server-sent events (HTML standard, section 9.2). A comment every 15 seconds keeps proxies from closing a stream on
 * which nothing happens, and finds clients that are gone.
 */
export function createEventStreams({ limit, admission, clock, log }: EventStreamsOptions): EventStreams {
  const open = new Set<ServerResponse>();
  return {
    open: (response, follow) => {
      // The client has gone while its request was judged: its end has been told, and would not be again.
      if (response.destroyed) return true;
      if (open.size >= limit) return false;
      open.add(response);
      startStream(response);
      const { sink, stop } = createSink(response, { admission, clock, log });
      // `close` is never emitted before this has returned.
      const unfollow = follow(sink);
      response.on("close", () => {
        open.delete(response);
        stop();
        unfollow();
      });
      return true;
    },
    close: () => {
      for (const response of open) response.end(() => response.destroy());
    },
  };
}

function startStream(response: ServerResponse): void {
  response.writeHead(200, {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    // nginx would gather events otherwise.
    "X-Accel-Buffering": "no",
  });
  response.flushHeaders();
  response.socket?.setNoDelay(true);
  response.socket?.setKeepAlive(true, heartbeatMs);
}

function createSink(response: ServerResponse, { admission, clock, log }: Omit<EventStreamsOptions, "limit">) {
  let latest: string | undefined;
  let heardOfLast = true;
  const admittedBy = admission?.();

  const drop = (why: string) => {
    log.info({ address: response.socket?.remoteAddress ?? "socket" }, why);
    response.destroy();
  };
  const isOver = () => response.writableEnded || response.destroyed;
  const write = (text: string) => {
    if (isOver()) return;
    if (response.writableLength > mostUnread) drop("a client that does not read its events was dropped");
    else response.write(text);
  };
  response.on("drain", () => {
    if (latest === undefined) return;
    const text = latest;
    latest = undefined;
    write(text);
  });
  const beat = () => {
    stop = clock.setTimer(heartbeatMs, beat);
    if (isOver()) return;
    if (!heardOfLast) return drop("a client that has gone was dropped");
    // It may come again, and is judged by the token and the users of then.
    if (admission?.() !== admittedBy) return void response.end();
    heardOfLast = false;
    response.write(": alive\n\n", () => (heardOfLast = true));
  };
  let stop = clock.setTimer(heartbeatMs, beat);

  const sink: EventSink = {
    send: (event, data) => write(format(event, data)),
    sendLatest: (event, data) => {
      if (response.writableNeedDrain) latest = format(event, data);
      else write(format(event, data));
    },
    end: () => void response.end(),
  };
  return { sink, stop: () => stop() };
}

/** JSON has no line break of its own, so that the data is one line. */
function format(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
