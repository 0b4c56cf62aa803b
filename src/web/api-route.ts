import type { Clock } from "../base/clock.ts";
import type { Answer, DirectorControl } from "./director-control.ts";
import type { JsonSchema } from "./json-schema.ts";

/** Where the events of one client go. What a client does not read in time is its loss: it is dropped. */
export interface EventSink {
  send(event: string, data: unknown): void;
  /** Like `send`, but whoever is behind gets only the newest. */
  sendLatest(event: string, data: unknown): void;
  end(): void;
}

export type ApiAnswer =
  | { readonly kind: "json"; readonly value: unknown; readonly status?: number }
  | { readonly kind: "text"; readonly text: string }
  /** `follow` begins to send, and returns what ends that. */
  | { readonly kind: "events"; readonly follow: (sink: EventSink) => () => void }
  | { readonly kind: "refused"; readonly status: 404 | 409 | 503; readonly error: string };

export interface ApiRequest<Param extends string, Query, Body> {
  readonly params: Readonly<Record<Param, string>>;
  readonly query: Query;
  readonly body: Body;
  /** Who asks, for log and history. */
  readonly by: string;
}

export interface ApiContext {
  readonly control: DirectorControl;
  readonly clock: Pick<Clock, "now">;
}

/** The query has no parameters. */
export type NoQuery = Record<never, never>;

/** One line of the table in docs/api.md: what fastify routes and checks, and what OpenAPI describes. */
export interface ApiRoute<Param extends string = never, Query = NoQuery, Body = object> {
  readonly method: "GET" | "POST";
  /** With its parameters in braces, such as `/api/v1/jobs/{job}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: { readonly [Key in keyof Query]-?: JsonSchema };
  /** Parameters of the query without which nothing can be answered. */
  readonly required?: readonly string[];
  readonly body?: JsonSchema;
  /** What comes when all is well: JSON of a schema, a text, or server-sent events. */
  readonly gives: { readonly status: number; readonly schema: JsonSchema } | "text" | "events";
  /** JSON that comes with another status than the usual ones. */
  readonly otherwise?: { readonly status: number; readonly description: string; readonly schema: JsonSchema };
  answer(request: ApiRequest<Param, Query, Body>, context: ApiContext): ApiAnswer | Promise<ApiAnswer>;
}

/** Any of them, as those see it who treat all alike. */
export type AnyRoute = ApiRoute<string, Record<string, unknown>>;

export function json(value: unknown, status?: number): ApiAnswer {
  return status === undefined ? { kind: "json", value } : { kind: "json", value, status };
}

export function notFound(error: string): ApiAnswer {
  return { kind: "refused", status: 404, error };
}

export function unavailable(error: string): ApiAnswer {
  return { kind: "refused", status: 503, error };
}

/** What the director said to a command. */
export function answered(answer: Answer<unknown>, status?: number): ApiAnswer {
  if (answer.kind === "done") return json(answer.value, status);
  return { kind: "refused", status: answer.kind === "unknown" ? 404 : 409, error: answer.message };
}
