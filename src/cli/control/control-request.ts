import { type IncomingMessage, request } from "node:http";
import { describeError, systemErrorCode } from "../../base/errors.ts";

/** What became of a request to a director. */
export type Asked<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** It understood and did not do it; `message` is its sentence. */
  | { readonly kind: "refused"; readonly status: number; readonly message: string }
  /** It is not there, or went away before it had answered. */
  | { readonly kind: "gone" }
  /** It is there and did not answer in time. */
  | { readonly kind: "silent"; readonly withinMs: number }
  /** Nobody can say, for instance because this user may not use its socket. */
  | { readonly kind: "unknown"; readonly detail: string };

export interface ControlRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  /** How long the answer may take; null: as long as it takes. */
  readonly withinMs: number | null;
  /** Ends the request; what comes of it then is `gone`. */
  readonly signal?: AbortSignal | undefined;
  /** Statuses besides 2xx whose body is an answer, and no refusal. */
  readonly answers?: readonly number[];
}

/** The longest answer that is read: the status of a thousand jobs is less than 2 MiB. */
const longestAnswer = 64 * 1024 * 1024;

/** Sends one request over a unix socket and reads the JSON of the answer. */
export function askControl(socketPath: string, options: ControlRequest): Promise<Asked<unknown>> {
  return withinLimit(options, async (signal) => {
    const response = await send(socketPath, options, signal);
    return interpret(response, await readAll(response), options.answers);
  });
}

/**
 * Sends one request and hands on the text of the answer as it arrives; `withinMs` is for its beginning. The text ends
 * with the answer, when nothing has come for `quietMs` (a living director sends a comment now and then), and when
 * `signal` says so.
 */
export function followControl(
  socketPath: string,
  options: ControlRequest & { quietMs: number },
): Promise<Asked<AsyncIterable<string>>> {
  return withinLimit(options, async (signal) => {
    const response = await send(socketPath, options, signal);
    if (response.statusCode === 200) return { kind: "answered", value: textOf(response, options.quietMs) };
    const asked = interpret(response, await readAll(response));
    return asked.kind === "answered" ? { kind: "unknown", detail: "it sent no events" } : asked;
  });
}

async function withinLimit<T>(
  { withinMs, signal }: ControlRequest,
  work: (signal: AbortSignal) => Promise<Asked<T>>,
): Promise<Asked<T>> {
  const limit = new AbortController();
  const timer = withinMs === null ? undefined : setTimeout(() => limit.abort(), withinMs);
  try {
    return await work(signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]));
  } catch (error) {
    if (limit.signal.aborted) return { kind: "silent", withinMs: withinMs ?? 0 };
    if (signal?.aborted === true) return { kind: "gone" };
    return describeFailure(error);
  } finally {
    clearTimeout(timer);
  }
}

function describeFailure(error: unknown): Asked<never> {
  switch (systemErrorCode(error)) {
    case "ENOENT":
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EPIPE":
      return { kind: "gone" };
    case "EACCES":
    case "EPERM":
      return { kind: "unknown", detail: "this user may not use its socket" };
    default:
      return { kind: "unknown", detail: describeError(error) };
  }
}

/** A socket has none, and Node takes ten milliseconds to find that out: by a pattern for all addresses of IPv6. */
const noServerName = { servername: "" };

function send(socketPath: string, options: ControlRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, path, body } = options;
  const content = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ socketPath, method, path, signal, agent: false, ...noServerName },
      headers: {
        host: "localhost",
        accept: "application/json, text/event-stream, text/plain",
        ...(content === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(content) }),
      },
    });
    sent.once("response", resolve);
    sent.on("error", reject);
    sent.end(content);
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    if (text.length > longestAnswer) throw new Error(`it answered more than ${longestAnswer} characters`);
  }
  return text;
}

function interpret(response: IncomingMessage, text: string, alsoAnswers: readonly number[] = []): Asked<unknown> {
  const status = response.statusCode ?? 0;
  const value = parse(text);
  if (value === undefined) return { kind: "unknown", detail: `it answered ${status} and no JSON` };
  if ((status >= 200 && status < 300) || alsoAnswers.includes(status)) return { kind: "answered", value };
  const { error } = value as { error?: unknown };
  return { kind: "refused", status, message: typeof error === "string" ? error : `it answered ${status}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A connection that breaks is the end of the text: what was to come is known from what has. */
async function* textOf(response: IncomingMessage, quietMs: number): AsyncGenerator<string, undefined> {
  response.setTimeout(quietMs, () => response.destroy());
  try {
    yield* response.setEncoding("utf8") as AsyncIterable<string>;
  } catch {
    return;
  } finally {
    response.destroy();
  }
}
