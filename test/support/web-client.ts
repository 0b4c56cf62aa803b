import { once } from "node:events";
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { onTestFinished } from "vitest";

/** Where a listener answers: the control socket, or a port of this host. */
export type Listener = { socketPath: string } | { port: number; tls?: { ca: string } };

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON with its type; a text as it is. */
  body?: object | string;
}

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json(): unknown;
}

/** One request on a connection of its own. */
export async function ask(listener: Listener, path: string, asked: Asked = {}): Promise<Answered> {
  const response = await open(listener, path, asked);
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part as string;
  const { statusCode: status = 0, headers } = response;
  return { status, headers, text, json: () => JSON.parse(text) as unknown };
}

/** A request whose answer is still to be read. */
async function open(listener: Listener, path: string, asked: Asked = {}): Promise<IncomingMessage> {
  const { body, headers = {}, method = body === undefined ? "GET" : "POST" } = asked;
  const type = typeof body === "object" ? { "Content-Type": "application/json" } : {};
  const secure = "tls" in listener ? { ca: listener.tls?.ca, servername: "localhost" } : undefined;
  const where = "port" in listener ? { host: "127.0.0.1", port: listener.port } : listener;
  const start = secure === undefined ? httpRequest : httpsRequest;
  const sent = start({ ...where, ...secure, path, method, agent: false, headers: { ...type, ...headers } });
  sent.end(typeof body === "object" ? JSON.stringify(body) : body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  sent.on("error", () => undefined);
  return response;
}

export interface ReceivedEvent {
  name: string;
  data: unknown;
}

/** Follows a stream of events; each `next` is the next one, undefined when the stream has ended. */
export async function followEvents(listener: Listener, path: string, asked: Asked = {}) {
  const response = await open(listener, path, asked);
  onTestFinished(() => void response.destroy());
  let rest = "";
  const parts = response.setEncoding("utf8").iterator({ destroyOnReturn: false }) as AsyncIterator<string>;
  async function nextBlock(): Promise<string | undefined> {
    for (;;) {
      const end = rest.indexOf("\n\n");
      if (end >= 0) {
        const block = rest.slice(0, end);
        rest = rest.slice(end + 2);
        return block;
      }
      const part = await parts.next();
      if (part.done === true) return undefined;
      rest += part.value;
    }
  }
  return {
    response,
    /** As it came, comments too. */
    nextBlock,
    next: async (): Promise<ReceivedEvent | undefined> => {
      const block = await nextBlock();
      if (block === undefined) return undefined;
      const [, name = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { name, data: JSON.parse(data) as unknown };
    },
  };
}
