import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { packageFile } from "../../base/package-file.ts";
import type { InstanceStatus } from "../../model/status.ts";
import type { RunHistory } from "../../store/run-history.ts";
import type { DirectorControl, DirectorEvent } from "../director-control.ts";
import { chooseEncoding, encodeQuickly, loadAssets, type Assets } from "./assets.ts";
import { changePage, changesPage } from "./changes-page.ts";
import { html } from "./html.ts";
import { jobPage, type LastFailure } from "./job-page.ts";
import { documentOf, type Layout } from "./layout.ts";
import { locksPage } from "./locks-page.ts";
import { overviewPage } from "./overview-page.ts";
import { queryNumber, queryText } from "./page-query.ts";
import { runPage } from "./run-page.ts";
import { runsPage } from "./runs-page.ts";

export interface PageOptions {
  readonly control: DirectorControl;
  /** Whether the page has buttons. Whether a request is allowed is decided where it is answered. */
  readonly allowActions: boolean;
  /** Where the compiled scripts and the style are: beside the built program, unless said otherwise. */
  readonly assetDirectory?: string;
}

/** Nothing is loaded from elsewhere, nothing written into a page is run, and no other page may show it in a frame. */
const contentSecurityPolicy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join("; ");

/** Where the build puts the compiled scripts and the style. */
const compiledAssets = "dist/web/page/client";
const shownRuns = 100;
const shownChanges = 200;

type Request = FastifyRequest<{ Params: Record<string, string>; Querystring: Record<string, unknown> }>;

/** What a route shows; `status` is the HTTP status where it is not 200. */
type Shown = Layout & { readonly status?: number };

/**
 * The status page: HTML that reads without JavaScript. It is a plugin of fastify, whose `ready` waits for it and
 * rejects when the scripts are not there.
 */
export function registerPage(app: FastifyInstance, options: PageOptions): void {
  void app.register(async (scope) =>
    addRoutes(scope, options, await loadAssets(options.assetDirectory ?? packageFile(compiledAssets))),
  );
}

function addRoutes(app: FastifyInstance, options: PageOptions, assets: Assets): void {
  const { control } = options;
  const page = (path: string, show: (request: Request, status: InstanceStatus) => Shown | Promise<Shown>) =>
    app.get(path, async (request, reply) => {
      const asked = request as Request;
      const status = control.status();
      await sendPage(asked, reply, { status, assets, shown: await show(asked, status) });
      return reply;
    });

  page("/", (request, status) => showOverview(request, status, options));
  page("/jobs/:job", (request, status) => showJob(request, status, options));
  page("/runs", (request, status) => showRuns(request, status, control));
  page("/runs/:run", (request, status) => showRun(request, status, options));
  page("/locks", async () => ({
    ...{ title: "Locks", section: "locks", live: false },
    main: locksPage(await control.locks()),
  }));
  page("/changes", (request, status) => showChanges(request, status, control));
  page("/changes/:id", (request) => showChange(request, control));
  app.get("/assets/*", (request, reply) => sendAsset(request as Request, reply, assets));
}

function showOverview(
  request: Request,
  status: InstanceStatus,
  { control, allowActions: actions }: PageOptions,
): Shown {
  // A browser that has the strips already asks for the rest alone.
  const recentRuns = isFragment(request) === "lean" ? undefined : (jobId: string) => control.recentRuns(jobId);
  const main = overviewPage(status, { actions, recentRuns, search: queryText(request.query["q"]) });
  return { title: "Jobs", section: "jobs", live: true, main };
}

function showJob(request: Request, status: InstanceStatus, { control, allowActions: actions }: PageOptions): Shown {
  const jobId = request.params["job"] ?? "";
  const job = status.jobs.find((each) => each.jobId === jobId);
  if (job === undefined) return notFound(`There is no job ${JSON.stringify(jobId)} in this configuration.`);
  const main = jobPage(status, job, {
    actions,
    recentRuns: control.recentRuns(jobId),
    lastFailure: control.queryHistory((history) => findLastFailure(history, jobId)),
    schedule: control.schedule(3).filter(({ jobs }) => jobs.includes(jobId)),
  });
  return { title: jobId, section: "jobs", live: true, main };
}

function findLastFailure(history: RunHistory, jobId: string): LastFailure | null {
  const run = history.listRuns({ jobId, withoutSuccess: true, limit: 2 }).find(({ finishedAt }) => finishedAt !== null);
  const job = run && history.readRun(run.runId)?.jobs.find((each) => each.jobId === jobId);
  return run === undefined || job === undefined ? null : { runId: run.runId, job };
}

function showRuns(request: Request, status: InstanceStatus, control: DirectorControl): Shown {
  const job = queryText(request.query["job"]);
  const filter = { job, failed: request.query["failed"] === "true", limit: shownRuns };
  const runs = control.queryHistory((history) =>
    history.listRuns({ jobId: job === "" ? undefined : job, withoutSuccess: filter.failed, limit: shownRuns }),
  );
  const jobs = status.jobs.map(({ jobId }) => jobId);
  return { title: "Runs", section: "runs", live: false, main: runsPage(runs, { filter, jobs }) };
}

function showRun(request: Request, status: InstanceStatus, { control, allowActions: actions }: PageOptions): Shown {
  const runId = request.params["run"] ?? "";
  const open = status.runs.find((run) => run.runId === runId);
  const answer = control.queryHistory((history) => ({ record: history.readRun(runId) }));
  const record = answer?.record;
  // Of a run that has just ended the director knows more than a history that does not work.
  const events = open === undefined && record !== undefined ? [] : rememberedEvents(control, runId);
  if (open === undefined && record === undefined && events.length === 0) {
    return answer === undefined
      ? notKnown(503, `The history does not work: nobody can say what became of a run ${JSON.stringify(runId)}.`)
      : notFound(`Nothing is known of a run ${JSON.stringify(runId)}: there was none, or it has left the history.`);
  }
  const readOutput = (jobId: string, of: { actionId: string; targetId: string; attempt: number }) =>
    control.queryHistory((history) => history.readOutput(runId, jobId, of));
  const main = runPage(status, runId, { actions, open, record, events, readOutput });
  const live = open !== undefined;
  return { title: `Run ${runId}`, section: "runs", live, followRun: live ? runId : undefined, main };
}

/** What the director still knows of a run; it tells that at once to whoever begins to follow. */
function rememberedEvents(control: DirectorControl, runId: string): DirectorEvent[] {
  const events: DirectorEvent[] = [];
  const stop = control.follow({ runId }, (event) => events.push(event));
  stop();
  return events;
}

function showChanges(request: Request, status: InstanceStatus, control: DirectorControl): Shown {
  const { query } = request;
  const filter = { job: queryText(query["job"]), path: queryText(query["path"]), run: queryText(query["run"]) };
  const changes = control.changes({
    ...{ jobId: filter.job || undefined, path: filter.path || undefined, runId: filter.run || undefined },
    limit: shownChanges,
  });
  const jobs = status.jobs.map(({ jobId }) => jobId);
  const main = changesPage(changes, { filter: { ...filter, limit: shownChanges }, jobs });
  return { title: "Changes", section: "changes", live: false, main };
}

async function showChange(request: Request, control: DirectorControl): Promise<Shown> {
  const id = queryNumber(request.params["id"]);
  if (id === undefined) return notFound("A change has a number.");
  const run = queryText(request.query["run"]);
  const diff = await control.changeDiff(id);
  const listed = control.changes({ runId: run || undefined, limit: 1000 });
  const change = listed?.find((each) => each.id === id);
  if (diff === undefined && change === undefined) return notFound(`Nothing is recorded of a change ${id}.`);
  return { title: `Change ${id}`, section: "changes", live: false, main: changePage(id, change, diff) };
}

function notFound(sentence: string): Shown {
  return notKnown(404, sentence);
}

function notKnown(status: number, sentence: string): Shown {
  const title = status === 404 ? "Not here" : "Not known";
  const main = html`<section>
    <h1>${title}</h1>
    <p>${sentence}</p>
    <p><a href="/">All jobs</a></p>
  </section>`;
  return { title, section: "none", live: false, main, status };
}

/** `lean`: without what the browser may still have; `full`: with it; undefined: a whole page is asked for. */
function isFragment({ query }: Request): "lean" | "full" | undefined {
  const asked = query["fragment"];
  return asked === "lean" || asked === "full" ? asked : undefined;
}

async function sendPage(
  request: Request,
  reply: FastifyReply,
  { status, assets, shown }: { status: InstanceStatus; assets: Assets; shown: Shown },
): Promise<void> {
  const part = isFragment(request);
  const text = part === undefined ? documentOf(status, assets.path, shown) : shown.main.toString();
  const encoding = chooseEncoding(request.headers["accept-encoding"]);
  const body = await encodeQuickly(text, encoding);
  if (encoding !== "identity") reply.header("content-encoding", encoding);
  reply
    .code(shown.status ?? 200)
    .headers({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy,
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "x-status-at": String(status.at),
      "x-assets": assets.path,
      vary: "accept-encoding",
    })
    .send(body);
}

function sendAsset(request: Request, reply: FastifyReply, assets: Assets): FastifyReply {
  const path = `/assets/${request.params["*"] ?? ""}`;
  const asset = path.startsWith(`${assets.path}/`) ? assets.files.get(path.slice(assets.path.length + 1)) : undefined;
  if (asset === undefined) return reply.code(404).type("text/plain; charset=utf-8").send("not found\n");
  const encoding = chooseEncoding(request.headers["accept-encoding"]);
  if (encoding !== "identity") reply.header("content-encoding", encoding);
  return reply
    .headers({
      "content-type": asset.type,
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
      vary: "accept-encoding",
    })
    .send(asset.content[encoding]);
}
