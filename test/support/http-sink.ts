import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpSink {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedRequest[];
  /** Resolves as soon as so many requests have come. */
  untilReceived(count: number): Promise<void>;
}

/**
 * A server on loopback that keeps what it gets; it ends with the test. `answer` is asked after each request; one that
 * never ends its response is a server that hangs.
 */
export async function startHttpSink(
  answer: (request: ReceivedRequest, response: ServerResponse) => void = (_, response) => void response.end(),
): Promise<HttpSink> {
  const received: ReceivedRequest[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const whole = { method, url, headers, body };
      received.push(whole);
      for (const look of waiting) look();
      answer(whole, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    untilReceived: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
