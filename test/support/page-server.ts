import { once } from "node:events";
import { join } from "node:path";
import type { ServerResponse } from "node:http";
import fastify, { type FastifyReply } from "fastify";
import { registerPage } from "../../src/web/page/page-routes.ts";
import type { Answer, DirectorControl } from "../../src/web/director-control.ts";
import { projectRoot } from "./project-files.ts";

/** The scripts of the page, as `node scripts/build.mjs` compiles them. */
const builtAssets = join(projectRoot, "dist/web/page/client");

export interface PageServer {
  readonly url: string;
  /** Ends the connections and refuses new ones, as a director that dies does. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  startAgain(): Promise<void>;
  /** Every path that was asked for so far. */
  readonly asked: readonly string[];
}

/**
 * The status page in front of any control, with as much of the API as the page needs. What the real one does
 * besides (who may come, limits, schemas) has its own tests.
 */
export async function startPageServer(
  control: DirectorControl,
  { actions = true }: { actions?: boolean } = {},
): Promise<PageServer> {
  const streams = new Set<ServerResponse>();
  const asked: string[] = [];
  const build = async () => {
    const app = fastify({ forceCloseConnections: true });
    app.addHook("onRequest", async (request) => void asked.push(request.url));
    registerPage(app, { control, allowActions: actions, assetDirectory: builtAssets });
    const follow = (reply: FastifyReply, begin: (send: (name: string, data: unknown) => void) => () => void) => {
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      streams.add(raw);
      const end = begin((name, data) => raw.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
      raw.on("close", () => {
        end();
        streams.delete(raw);
      });
    };
    app.get("/api/v1/status/stream", (_request, reply) =>
      follow(reply, (send) => {
        send("status", control.status());
        return control.onStatus((status) => send("status", status));
      }),
    );
    app.get<{ Params: { run: string } }>("/api/v1/runs/:run/events", (request, reply) =>
      follow(reply, (send) =>
        control.follow({ runId: request.params.run }, ({ name, payload }) => send(name, payload)),
      ),
    );
    const answer = (reply: FastifyReply, result: Answer<unknown>) =>
      result.kind === "done"
        ? reply.send(result.value)
        : reply.code(result.kind === "unknown" ? 404 : 409).send({ error: result.message });
    app.post<{ Body: { jobs: string[] } }>("/api/v1/runs", (request, reply) =>
      answer(reply, control.run(request.body.jobs, "page")),
    );
    app.post<{ Params: { run: string } }>("/api/v1/runs/:run/cancel", async (request, reply) =>
      answer(reply, await control.cancel(request.params.run, "page")),
    );
    app.post<{ Params: { job: string }; Body: { seconds: number | null; reason: string | null } }>(
      "/api/v1/jobs/:job/pause",
      (request, reply) => {
        const { seconds, reason } = request.body;
        const until = seconds === null ? null : control.status().at + seconds * 1000;
        return answer(reply, control.pause(request.params.job, { until, by: "page", reason }));
      },
    );
    app.post<{ Params: { job: string } }>("/api/v1/jobs/:job/resume", (request, reply) =>
      answer(reply, control.resume(request.params.job, "page")),
    );
    app.post("/api/v1/reload", async (_request, reply) => {
      const result = await control.reload("page");
      return reply.code(result.ok ? 200 : 422).send(result);
    });
    return app;
  };
  let app = await build();
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: async () => {
      const closed = [...streams].filter((stream) => !stream.closed).map((stream) => once(stream, "close"));
      for (const stream of streams) stream.destroy();
      await Promise.all(closed);
      await app.close();
    },
    startAgain: async () => {
      app = await build();
      await app.listen({ host: "127.0.0.1", port });
    },
  };
}
