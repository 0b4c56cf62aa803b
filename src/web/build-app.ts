import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { AnyRoute, ApiAnswer, ApiContext } from "./api-route.ts";
import type { EventStreams } from "./event-stream.ts";
import { commandRoutes } from "./command-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import type { JsonSchema } from "./json-schema.ts";
import { describeApi } from "./openapi.ts";
import { runRoutes } from "./run-routes.ts";
import { statusRoutes } from "./status-routes.ts";

export const apiRoutes: readonly AnyRoute[] = [...statusRoutes, ...runRoutes, ...eventRoutes, ...commandRoutes];

/** More than any request needs: the longest is a list of jobs. */
const bodyLimit = 64 * 1024;

export interface AppOptions extends ApiContext {
  readonly version: string;
  readonly streams: EventStreams;
  /** Who sent a request, as the access rule found. */
  readonly askerOf: (request: IncomingMessage) => string;
  /** Adds the routes of the page, where there is one. */
  readonly registerPage?: ((app: FastifyInstance) => void | Promise<void>) | undefined;
  readonly log: Logger;
}

/**
 * The application behind a listener: fastify routes and checks, the routes answer. It is imported and built for the
 * first request, and never listens itself.
 */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { fastify } = await import("fastify");
  const app = fastify({
    logger: false,
    bodyLimit,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 256 },
    // What a client sends is judged as it is: nothing is made into a number, dropped, or filled in for it but defaults.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: false } },
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) =>
      void refuseFor(error, { request: request as FastifyRequest, reply: reply as FastifyReply, log: options.log }),
  });
  app.removeContentTypeParser("text/plain");
  // The descriptions of answers are for people and for tests; what is sent is what there is.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler((error: FastifyError, request, reply) => refuseFor(error, { request, reply, log: options.log }));
  app.setNotFoundHandler((_, reply) =>
    reply.code(404).send({ error: "there is nothing here: see /api/v1/openapi.json" }),
  );
  for (const route of apiRoutes) addRoute(app, route, options);
  const description = describeApi(apiRoutes, options);
  app.get("/api/v1/openapi.json", () => description);
  await options.registerPage?.(app);
  await app.ready();
  return app;
}

function addRoute(app: FastifyInstance, route: AnyRoute, options: AppOptions): void {
  const { method, path, query = {}, required = [], body } = route;
  const querystring = { type: "object", properties: query, required, additionalProperties: false };
  app.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
    schema: { querystring, ...(body === undefined ? {} : { body }) },
    preValidation: (request, _reply, done) => {
      request.query = readQuery(request.query as Record<string, unknown>, query);
      done();
    },
    handler: async (request, reply) => {
      const answer = await route.answer(
        {
          params: request.params as Record<string, string>,
          query: request.query as Record<string, unknown>,
          body: (request.body ?? {}) as object,
          by: options.askerOf(request.raw),
        },
        options,
      );
      return send(answer, reply, options.streams);
    },
  });
}

/** A query is text; where a number or a truth value is meant and written, it becomes one. */
function readQuery(given: Record<string, unknown>, schemas: Readonly<Record<string, JsonSchema>>) {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const { type } = (Object.hasOwn(schemas, name) ? schemas[name] : undefined) ?? {};
      if (typeof value !== "string") return [name, value];
      if (type === "integer" && /^\d{1,15}$/.test(value)) return [name, Number(value)];
      if (type === "boolean" && /^(?:true|false)$/.test(value)) return [name, value === "true"];
      return [name, value];
    }),
  );
}

function send(answer: ApiAnswer, reply: FastifyReply, streams: EventStreams): FastifyReply {
  switch (answer.kind) {
    case "json":
      return reply
        .code(answer.status ?? 200)
        .type("application/json; charset=utf-8")
        .send(answer.value);
    case "text":
      return reply.type("text/plain; charset=utf-8").send(answer.text);
    case "refused":
      return reply.code(answer.status).send({ error: answer.error });
    case "events":
      return sendEvents(answer, reply, streams);
  }
}

function sendEvents(
  answer: Extract<ApiAnswer, { kind: "events" }>,
  reply: FastifyReply,
  streams: EventStreams,
): FastifyReply {
  if (reply.request.method === "HEAD") return reply.type("text/event-stream; charset=utf-8").send("");
  const raw: ServerResponse = reply.raw;
  if (!streams.open(raw, answer.follow)) {
    return reply.code(503).header("Retry-After", "10").send({ error: "too many follow events already" });
  }
  return reply.hijack();
}

interface Failure {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly log: Logger;
}

/** What the client did wrong is told in a sentence; what we did wrong is for the log alone. */
function refuseFor(error: FastifyError, { request, reply, log }: Failure): FastifyReply {
  if (error.validation !== undefined) {
    const [first] = error.validation;
    const extra = first?.params["additionalProperty"];
    const subject = `${error.validationContext ?? "request"}${first?.instancePath.replaceAll("/", ".") ?? ""}`;
    const problem = typeof extra === "string" ? `has an unknown key ${JSON.stringify(extra)}` : first?.message;
    return reply.code(400).send({ error: `the ${subject} ${problem ?? "is wrong"}` });
  }
  const status = error.statusCode ?? 500;
  if (status === 413) return reply.code(413).send({ error: `the body is larger than ${bodyLimit} bytes` });
  if (status === 415) return reply.code(415).send({ error: "the Content-Type must be application/json" });
  if (status >= 400 && status < 500) return reply.code(400).send({ error: "the request is not understood" });
  log.error({ path: request.routeOptions.url, error: describeError(error), stack: error.stack }, "request failed");
  return reply.code(500).send({ error: "internal error: see the log of the director" });
}
