import { describeError } from "../base/errors.ts";
import { redactText, redactUrl } from "../base/redact.ts";
import { safeWord } from "../base/untrusted-text.ts";
import { type Delivery, failed } from "./channel-sender.ts";
import { hideSecrets } from "./read-secret.ts";

export interface HttpMessage {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** What must not be seen in what is said about it. */
  readonly secrets: readonly string[];
}

const mostRedirects = 3;
/** Of an answer no more is read. */
const longestAnswer = 4096;
/** The server may do better later: timeout, too early, too many requests. */
const passing = new Set([408, 425, 429]);

/** Sends a message and judges the answer. Certificates are checked; only the same host may redirect. */
export async function sendHttp(message: HttpMessage, signal: AbortSignal): Promise<Delivery> {
  const hide = (text: string) => safeWord(redactText(hideSecrets(text, message.secrets)), 300);
  let url: URL;
  try {
    url = new URL(message.url);
  } catch {
    return failed("its address is none when the placeholders are filled in", { isFinal: true });
  }
  try {
    for (let redirects = 0; ; redirects += 1) {
      const answer = await request(url, message, signal);
      const next = redirectOf(answer, url);
      if (next === undefined) return await judge(answer, hide);
      await answer.body?.cancel();
      const refused = refusalOf(answer.status, url, { next, message, redirects });
      if (refused !== undefined) return failed(hide(refused), { isFinal: true });
      url = next;
    }
  } catch (error) {
    return failed(signal.aborted ? describeAbort(signal) : hide(describeNetworkError(error)));
  }
}

function request(url: URL, { method, headers, body }: HttpMessage, signal: AbortSignal): Promise<Response> {
  return fetch(url, { method, headers, signal, redirect: "manual", ...(body !== undefined && { body }) });
}

function redirectOf(answer: Response, from: URL): URL | undefined {
  const location = answer.headers.get("location");
  if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return undefined;
  return URL.canParse(location, from.href) ? new URL(location, from) : undefined;
}

/** A request that changes its method or its host on the way is not what was asked for. */
function refusalOf(
  status: number,
  from: URL,
  { next, message, redirects }: { next: URL; message: HttpMessage; redirects: number },
): string | undefined {
  const where = redactUrl(next.href);
  if (redirects >= mostRedirects) return `the server redirects again and again, last to ${where}`;
  const isSafe = next.hostname === from.hostname && !(from.protocol === "https:" && next.protocol !== "https:");
  if (!isSafe) return `the server redirects elsewhere: if that is right, use ${where}`;
  const keepsMethod = message.method === "GET" || status === 307 || status === 308;
  return keepsMethod ? undefined : `the server redirects (${status}): use ${where}`;
}

async function judge(answer: Response, hide: (text: string) => string): Promise<Delivery> {
  const text = await readStart(answer);
  const { status } = answer;
  if (answer.ok) return { kind: "delivered", detail: `HTTP ${status}` };
  const said = text.trim() === "" ? "" : `: ${hide(text.trim())}`;
  const isFinal = status < 500 && !passing.has(status);
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  const later = Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {};
  return { kind: "failed", detail: `the server answers ${status}${said}`, isFinal, ...later };
}

/** The begin of the answer; the rest is not fetched. */
async function readStart(answer: Response): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  const reader = answer.body?.getReader();
  while (reader !== undefined && length < longestAnswer) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
    if (done || value === undefined) return Buffer.concat(parts).toString("utf8");
    parts.push(Buffer.from(value));
    length += value.length;
  }
  await reader?.cancel();
  return Buffer.concat(parts).toString("utf8").slice(0, longestAnswer);
}

/** The message of fetch says only that it failed; what counts is its cause, or the first of several. */
function describeNetworkError(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof AggregateError && cause.errors.length > 0) return describeError(cause.errors[0]);
  return describeError(cause ?? error);
}

export function describeAbort(signal: AbortSignal): string {
  return signal.reason instanceof Error ? signal.reason.message : "it was stopped";
}
