import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { apiRoutes } from "../../src/web/build-app.ts";
import { projectFiles, readProjectFile } from "../support/project-files.ts";
import { failedRunId, finishedRunId, runningRunId, sampleDiff } from "../support/status-samples.ts";
import { ask, type Asked } from "../support/web-client.ts";
import { startTestListeners } from "../support/web-listeners.ts";

type Tree = { [key: string]: Tree };

interface Sample {
  route: string;
  path: string;
  asked?: Asked;
  status?: number;
}

const output = `/api/v1/runs/${finishedRunId}/output?job=home&action=copy`;

/** One request of each route that answers at once. */
const samples: Sample[] = [
  { route: "get /api/v1/status", path: "/api/v1/status" },
  { route: "get /api/v1/jobs", path: "/api/v1/jobs" },
  { route: "get /api/v1/jobs/{job}", path: "/api/v1/jobs/photos" },
  { route: "get /api/v1/jobs/{job}/recent", path: "/api/v1/jobs/home/recent" },
  { route: "get /api/v1/runs", path: "/api/v1/runs?limit=1000&since=0" },
  { route: "get /api/v1/runs/{run}", path: `/api/v1/runs/${failedRunId}` },
  { route: "get /api/v1/runs/{run}/output", path: output },
  { route: "get /api/v1/locks", path: "/api/v1/locks" },
  { route: "get /api/v1/schedule", path: "/api/v1/schedule?count=5" },
  { route: "get /api/v1/changes", path: "/api/v1/changes?job=etc" },
  { route: "get /api/v1/changes/{id}/diff", path: "/api/v1/changes/7/diff" },
  { route: "post /api/v1/runs", path: "/api/v1/runs", asked: { body: { jobs: ["home"] } }, status: 202 },
  { route: "post /api/v1/runs/{run}/cancel", path: `/api/v1/runs/${runningRunId}/cancel`, asked: { body: {} } },
  { route: "post /api/v1/jobs/{job}/pause", path: "/api/v1/jobs/home/pause", asked: { body: { seconds: 60 } } },
  { route: "post /api/v1/jobs/{job}/resume", path: "/api/v1/jobs/etc/resume", asked: { body: {} } },
  { route: "post /api/v1/reload", path: "/api/v1/reload", asked: { body: {} } },
];

describe("the description", () => {
  test("has every route, and each that answers at once has a sample here", async () => {
    const { socket } = await startTestListeners();
    const api = (await ask(socket, "/api/v1/openapi.json")).json() as Tree;
    expect(api).toMatchObject({ openapi: "3.1.0", info: { title: "rsyncdirector", version: "0.1.0" } });
    const described = Object.entries(api["paths"] ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.toSorted()).toEqual(
      apiRoutes.map(({ method, path }) => `${method.toLowerCase()} ${path}`).toSorted(),
    );
    const streams = apiRoutes.filter(({ gives }) => gives === "events").map(({ path }) => `get ${path}`);
    expect(samples.map(({ route }) => route).toSorted()).toEqual(
      described.filter((route) => !streams.includes(route)).toSorted(),
    );
    const ids = Object.values(api["paths"] ?? {}).flatMap((methods) =>
      Object.values(methods).map((operation) => operation["operationId"]),
    );
    expect(new Set(ids).size).toBe(described.length);
  });

  test("refers only to what it has, and each of its schemas is one", async () => {
    const { socket } = await startTestListeners();
    const api = (await ask(socket, "/api/v1/openapi.json")).json() as Tree;
    const schemas = api["components"]?.["schemas"] ?? {};
    const references = [...JSON.stringify(api).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(10);
    for (const [, name = ""] of references) expect(Object.keys(schemas)).toContain(name);
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    for (const schema of Object.values(schemas)) expect(ajv.validateSchema(schema)).toBe(true);
  });

  test("is what docs/api.md says", () => {
    expect(projectFiles()).toContain("docs/api.md");
    const text = readProjectFile("docs/api.md");
    const missing = apiRoutes.filter(({ path }) => {
      const written = path.replace("{job}", "JOB").replace("{run}", "RUN").replace("{id}", "ID");
      return !text.includes(written) && !text.includes(`\`${written.replace("/api/v1", "")}\``);
    });
    expect(missing).toEqual([]);
  });
});

describe("a route", () => {
  test.each(samples)("$route answers as it is described", async ({ route, path, asked, status = 200 }) => {
    const { socket } = await startTestListeners();
    const api = (await ask(socket, "/api/v1/openapi.json")).json() as Tree;
    const [method = "", template = ""] = route.split(" ");
    const answer = await ask(socket, path, asked);
    expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
    const content = api["paths"]?.[template]?.[method]?.["responses"]?.[String(status)]?.["content"] ?? {};
    const type = String(answer.headers["content-type"]).split(";")[0] ?? "";
    expect(Object.keys(content)).toEqual([type]);
    if (type === "application/json") expect(mismatches(api, content[type]?.["schema"], answer.json())).toEqual([]);
  });

  test.each<[string, string, Asked, number]>([
    ["a job that is not there", "/api/v1/jobs/none", {}, 404],
    ["the runs of a job that is not there", "/api/v1/jobs/none/recent", {}, 404],
    ["a run that is not there", "/api/v1/runs/none", {}, 404],
    ["events of a run that is not there", "/api/v1/runs/none/events", {}, 404],
    ["events of a job that is not there", "/api/v1/events?job=none", {}, 404],
    ["output that is not there", output.replace("copy", "none"), {}, 404],
    ["a difference that is not there", "/api/v1/changes/8/diff", {}, 404],
    ["a difference of no number", "/api/v1/changes/..%2F8/diff", {}, 404],
    ["a route that is not there", "/api/v1/nothing", {}, 404],
    ["a path without the right method", "/api/v1/status", { body: {} }, 404],
    ["a number that is none", "/api/v1/runs?limit=many", {}, 400],
    ["a number out of range", "/api/v1/runs?limit=1001", {}, 400],
    ["a truth value that is none", "/api/v1/runs?failed=yes", {}, 400],
    ["a parameter that is not known", "/api/v1/runs?jobb=home", {}, 400],
    ["a parameter that is given twice", "/api/v1/runs?job=home&job=mail", {}, 400],
    ["output of no action", `/api/v1/runs/${finishedRunId}/output`, {}, 400],
    ["a path of half a character", "/api/v1/jobs/%E0%A4%A", {}, 400],
    ["a body that is no JSON", "/api/v1/runs", { body: "{", headers: { "Content-Type": "application/json" } }, 400],
    ["no body", "/api/v1/reload", { method: "POST", headers: { "Content-Type": "application/json" } }, 400],
    ["a key that is not known", "/api/v1/runs", { body: { jobs: [], force: true } }, 400],
    ["a missing key", "/api/v1/runs", { body: {} }, 400],
    ["a job that is no text", "/api/v1/runs", { body: { jobs: [1] } }, 400],
    ["a number as a text", "/api/v1/jobs/home/pause", { body: { seconds: "60" } }, 400],
    ["an empty text for no end", "/api/v1/jobs/home/pause", { body: { seconds: "" } }, 400],
    ["a pause of no length", "/api/v1/jobs/home/pause", { body: { seconds: 0 } }, 400],
    ["a key of objects' own", "/api/v1/runs", { body: '{"jobs":[],"__proto__":{}}', headers: jsonType() }, 400],
    ["a job that cannot run", "/api/v1/runs", { body: { jobs: ["archive"] } }, 409],
    ["a run of an unknown job", "/api/v1/runs", { body: { jobs: ["none"] } }, 404],
    ["the end of a run that has ended", `/api/v1/runs/${finishedRunId}/cancel`, { body: {} }, 409],
    ["a form", "/api/v1/runs", { body: "jobs=", headers: { "Content-Type": "text/plain" } }, 415],
    ["a body without a type", "/api/v1/reload", { body: "{}" }, 415],
    ["a body of 65 KiB", "/api/v1/runs", { body: { jobs: ["x".repeat(65 * 1024)] } }, 413],
  ])("refuses %s", async (_what, path, asked, status) => {
    const { socket, control } = await startTestListeners();
    const answer = await ask(socket, path, asked);
    expect([answer.status, answer.json()]).toEqual([status, { error: expect.any(String) }]);
    expect(answer.text).not.toMatch(/node_modules|at \w+ \(|FST_|src\//);
    const [done] = control.calls;
    if (status < 404 || status > 409) expect(done).toBeUndefined();
  });

  test("says what is wrong in a sentence", async () => {
    const { socket } = await startTestListeners();
    const errorOf = async (path: string, asked?: Asked) => (await ask(socket, path, asked)).json();
    expect(await errorOf("/api/v1/runs?limit=many")).toEqual({ error: "the querystring.limit must be integer" });
    expect(await errorOf("/api/v1/jobs/none")).toEqual({ error: 'there is no job "none"' });
    expect(await errorOf("/api/v1/runs", { body: { jobs: [], force: 1 } })).toEqual({
      error: 'the body has an unknown key "force"',
    });
  });

  test.each([
    "/api/v1/runs",
    `/api/v1/runs/${finishedRunId}`,
    output,
    "/api/v1/changes",
    `/api/v1/runs/${finishedRunId}/events`,
  ])("%s says when the history does not work", async (path) => {
    const { socket, control } = await startTestListeners();
    control.historyWorks = false;
    control.recorded = undefined;
    const answer = await ask(socket, path);
    expect([answer.status, answer.json()]).toEqual([503, { error: expect.any(String) }]);
  });

  test("a bad configuration is answered with its problems", async () => {
    const { socket, control } = await startTestListeners();
    control.reloadAnswer = { ok: false, message: "the old one goes on", problems: ["x.yaml:3:1: web: is wrong"] };
    const answer = await ask(socket, "/api/v1/reload", { body: {} });
    expect([answer.status, answer.json()]).toEqual([422, control.reloadAnswer]);
  });

  test("hands on what was asked for, and who asked", async () => {
    const { socket, control } = await startTestListeners();
    await ask(socket, "/api/v1/runs", { body: { jobs: ["home", "mail"] }, headers: { "X-Requested-By": "alice" } });
    await ask(socket, "/api/v1/jobs/home/pause", { body: { seconds: null, reason: "new disk" } });
    await ask(socket, "/api/v1/jobs/home/resume", { body: {}, headers: { "X-Requested-By": "a\u0009b" } });
    expect(control.calls).toEqual([
      ["run", ["home", "mail"], "alice"],
      ["pause", "home", { until: null, by: "the command line", reason: "new disk" }],
      ["resume", "home", "the command line"],
    ]);
  });

  test("an error inside is for the log alone", async () => {
    const { socket, control, log } = await startTestListeners();
    control.locks = () => Promise.reject(new Error("secret /path"));
    const answer = await ask(socket, "/api/v1/locks");
    expect([answer.status, answer.json()]).toEqual([500, { error: "internal error: see the log of the director" }]);
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([
      expect.objectContaining({
        message: "request failed",
        fields: expect.objectContaining({ error: "secret /path" }),
      }),
    ]);
    expect((await ask(socket, "/api/v1/status")).status).toBe(200);
  });

  test("HEAD answers with the same headers and no body", async () => {
    const { socket } = await startTestListeners();
    const answer = await ask(socket, "/api/v1/jobs", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    const stream = await ask(socket, "/api/v1/status/stream", { method: "HEAD" });
    expect([stream.status, stream.headers["content-type"]]).toEqual([200, "text/event-stream; charset=utf-8"]);
  });

  test("every answer forbids what a browser need not do with it", async () => {
    const { socket } = await startTestListeners();
    for (const path of ["/api/v1/status", "/api/v1/nothing", "/api/v1/status/stream"]) {
      const { headers } = await ask(socket, path, { method: "HEAD" });
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      });
    }
  });

  test("gives the difference of a change as it is", async () => {
    const { socket } = await startTestListeners();
    expect((await ask(socket, "/api/v1/changes/7/diff")).text).toBe(sampleDiff);
  });
});

function jsonType() {
  return { "Content-Type": "application/json" };
}

/** What of an answer does not fit its schema; nothing may be more than is described. */
function mismatches(api: Tree, schema: Tree | undefined, value: unknown): unknown[] {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  ajv.addKeyword("components");
  ajv.addSchema({ $id: "api", components: api["components"] });
  const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
  const validate = ajv.compile(JSON.parse(text) as object);
  return validate(value) ? [] : (validate.errors ?? ["unknown"]);
}
