import type { AnyRoute } from "./api-route.ts";
import { anyText, type JsonSchema, objectOf } from "./json-schema.ts";
import { recordedChange, runRecord, runSummary } from "./record-schemas.ts";
import { instanceStatus, jobStatus, lockView, pause, recentRun } from "./status-schemas.ts";

/** What every refusal looks like: one sentence for a person. */
const refusal = objectOf<{ error: string }>({ error: anyText });

/** The schemas that are called by their names; they are the names of the types. */
const named = new Map<JsonSchema, string>([
  [instanceStatus, "InstanceStatus"],
  [jobStatus, "JobStatus"],
  [pause, "Pause"],
  [recentRun, "RecentRun"],
  [lockView, "LockView"],
  [runSummary, "RunSummary"],
  [runRecord, "RunRecord"],
  [recordedChange, "RecordedChange"],
  [refusal, "Refusal"],
]);

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 description of the routes. */
export function describeApi(routes: readonly AnyRoute[], { version }: { version: string }): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  const schemas = [...named].map(([schema, name]) => [name, referTo(schema, schema)]);
  return {
    openapi: "3.1.0",
    info: {
      title: "rsyncdirector",
      version,
      description: "What a running director says and does. Times are milliseconds since 1970 UTC.",
    },
    paths,
    components: {
      schemas: Object.fromEntries(schemas) as Json,
      securitySchemes: { token: { type: "http", scheme: "bearer" }, user: { type: "http", scheme: "basic" } },
    },
    // Nothing is asked for on the control socket, and where neither a token nor users are configured.
    security: [{}, { token: [] }, { user: [] }],
  };
}

function describeRoute({ path, summary, query = {}, required = [], body, gives, otherwise }: AnyRoute): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, schema: anyText },
  }));
  const inQuery = Object.entries<JsonSchema>(query).map(([name, schema]) => ({
    ...{ name, in: "query", required: required.includes(name), schema },
  }));
  return {
    operationId: operationId(path, body === undefined ? "get" : "post"),
    summary,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined ? {} : { requestBody: { required: true, content: jsonOf(body) } }),
    responses: {
      ...describeSuccess(gives),
      ...(otherwise === undefined
        ? {}
        : { [otherwise.status]: { description: otherwise.description, content: jsonOf(otherwise.schema) } }),
      default: { description: "It was refused", content: jsonOf(refusal) },
    },
  };
}

function describeSuccess(gives: AnyRoute["gives"]): Json {
  if (gives === "text") return { 200: { description: "A text", content: { "text/plain": { schema: anyText } } } };
  if (gives === "events") {
    return { 200: { description: "Server-sent events", content: { "text/event-stream": { schema: anyText } } } };
  }
  return { [gives.status]: { description: "Done", content: jsonOf(gives.schema) } };
}

function jsonOf(schema: JsonSchema): Json {
  return { "application/json": { schema: referTo(schema) } };
}

/** A copy in which named schemas stand by their names; `except` is the one that is being spelled out. */
function referTo(schema: JsonSchema, except?: JsonSchema): unknown {
  const name = schema === except ? undefined : named.get(schema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  const { items, properties, anyOf, ...rest } = schema;
  return {
    ...rest,
    ...(items === undefined ? {} : { items: referTo(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map((each) => referTo(each)) }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, referTo(each)])) }),
  };
}

/** `/api/v1/jobs/{job}/pause` → `postJobsPause`. */
function operationId(path: string, method: string): string {
  const words = path.replace("/api/v1/", "").split(/[^a-z]+/);
  return [method, ...words].map((word, index) => (index === 0 ? word : capital(word))).join("");
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
