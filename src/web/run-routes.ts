import type { RunHistory, RunRecord } from "../store/run-history.ts";
import { type AnyRoute, type ApiAnswer, type ApiRoute, json, notFound, unavailable } from "./api-route.ts";
import type { DirectorControl } from "./director-control.ts";
import { count, list } from "./json-schema.ts";
import { recordedChange, runRecord, runSummary } from "./record-schemas.ts";

const noHistory = unavailable("the history does not work: see the log of the director");
const name = { type: "string", maxLength: 256 } as const;
const since = { ...count, description: "Not before this time, in milliseconds since 1970 UTC" };
const limit = { type: "integer", minimum: 1, maximum: 1000, default: 20, description: "So many at most" } as const;

type RunsQuery = {
  job?: string;
  failed?: boolean;
  since?: number;
  limit: number;
};

const runs: ApiRoute<never, RunsQuery> = {
  method: "GET",
  path: "/api/v1/runs",
  summary: "Runs, newest first",
  query: {
    job: { ...name, description: "Runs with this job" },
    failed: { type: "boolean", description: "Only what is not known to have ended well" },
    since,
    limit,
  },
  gives: { status: 200, schema: list(runSummary) },
  answer: ({ query }, { control }) => {
    const filter = { jobId: query.job, withoutSuccess: query.failed, since: query.since, limit: query.limit };
    const found = control.queryHistory((history) => history.listRuns(filter));
    return found === undefined ? noHistory : json(found);
  },
};

const run: ApiRoute<"run"> = {
  method: "GET",
  path: "/api/v1/runs/{run}",
  summary: "One run with its jobs, actions and locks",
  gives: { status: 200, schema: runRecord },
  answer: ({ params }, { control }) => withRun(control, params.run, (record) => json(record)),
};

type OutputQuery = {
  job: string;
  action: string;
  target: string;
  attempt?: number;
};

const output: ApiRoute<"run", OutputQuery> = {
  method: "GET",
  path: "/api/v1/runs/{run}/output",
  summary: "What one action of a run wrote, at most the last 1 MiB",
  query: {
    job: name,
    action: name,
    target: { ...name, default: "", description: "Of a job with several targets" },
    attempt: { type: "integer", minimum: 1, maximum: 1_000_000, description: "The last one unless given" },
  },
  required: ["job", "action"],
  gives: "text",
  answer: ({ params, query }, { control }) =>
    withRun(control, params.run, (record, history) => {
      const actions = record.jobs.find(({ jobId }) => jobId === query.job)?.actions ?? [];
      const action = actions.findLast(
        ({ actionId, targetId, attempt }) =>
          actionId === query.action && targetId === query.target && attempt === (query.attempt ?? attempt),
      );
      const text = action === undefined ? undefined : history.readOutput(record.runId, query.job, action);
      return text === undefined ? notFound("nothing is kept of such an action") : { kind: "text", text };
    }),
};

type ChangesQuery = {
  job?: string;
  path?: string;
  run?: string;
  since?: number;
  limit: number;
};

const changes: ApiRoute<never, ChangesQuery> = {
  method: "GET",
  path: "/api/v1/changes",
  summary: "Changes of tracked files, newest first",
  query: {
    job: name,
    path: { type: "string", maxLength: 4096, description: "A file, or a directory and what is below it" },
    run: name,
    since,
    limit,
  },
  gives: { status: 200, schema: list(recordedChange) },
  answer: ({ query: { job, path, run: runId, since: from, limit: most } }, { control }) => {
    const found = control.changes({ jobId: job, path, runId, since: from, limit: most });
    return found === undefined ? unavailable("no changes are tracked, or their ledger does not work") : json(found);
  },
};

const changeDiff: ApiRoute<"id"> = {
  method: "GET",
  path: "/api/v1/changes/{id}/diff",
  summary: "The unified difference of one change",
  gives: "text",
  answer: async ({ params }, { control }) => {
    const text = /^\d{1,15}$/.test(params.id) ? await control.changeDiff(Number(params.id)) : undefined;
    return text === undefined ? notFound("there is no such change, or no difference of it") : { kind: "text", text };
  },
};

function withRun(
  control: DirectorControl,
  runId: string,
  use: (record: RunRecord, history: RunHistory) => ApiAnswer,
): ApiAnswer {
  const answer = control.queryHistory((history) => {
    const record = history.readRun(runId);
    return record === undefined ? noRun(runId) : use(record, history);
  });
  return answer ?? noHistory;
}

export function noRun(runId: string): ApiAnswer {
  return notFound(`there is no run ${JSON.stringify(runId)}`);
}

export const runRoutes: readonly AnyRoute[] = [runs, run, output, changes, changeDiff];
