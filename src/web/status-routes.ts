import { type AnyRoute, type ApiRoute, json, notFound } from "./api-route.ts";
import { anyText, list, objectOf, time } from "./json-schema.ts";
import { instanceStatus, jobStatus, lockView, recentRun } from "./status-schemas.ts";

const status: ApiRoute = {
  method: "GET",
  path: "/api/v1/status",
  summary: "Everything about the instance and its jobs as it is now",
  gives: { status: 200, schema: instanceStatus },
  answer: (_, { control }) => json(control.status()),
};

const statusStream: ApiRoute = {
  method: "GET",
  path: "/api/v1/status/stream",
  summary: "Events `status`: one at once, then one whenever the status has changed",
  gives: "events",
  answer: (_, { control }) => ({
    kind: "events",
    follow: (sink) => {
      sink.sendLatest("status", control.status());
      return control.onStatus((current) => sink.sendLatest("status", current));
    },
  }),
};

const jobs: ApiRoute = {
  method: "GET",
  path: "/api/v1/jobs",
  summary: "The jobs, in the order of the configuration",
  gives: { status: 200, schema: list(jobStatus) },
  answer: (_, { control }) => json(control.status().jobs),
};

const job: ApiRoute<"job"> = {
  method: "GET",
  path: "/api/v1/jobs/{job}",
  summary: "One job",
  gives: { status: 200, schema: jobStatus },
  answer: ({ params }, { control }) => {
    const found = control.status().jobs.find(({ jobId }) => jobId === params.job);
    return found === undefined ? noJob(params.job) : json(found);
  },
};

const recent: ApiRoute<"job"> = {
  method: "GET",
  path: "/api/v1/jobs/{job}/recent",
  summary: "The last runs of a job, oldest first, at most 30",
  gives: { status: 200, schema: list(recentRun) },
  answer: ({ params }, { control }) => {
    const known = control.status().jobs.some(({ jobId }) => jobId === params.job);
    return known ? json(control.recentRuns(params.job)) : noJob(params.job);
  },
};

const locks: ApiRoute = {
  method: "GET",
  path: "/api/v1/locks",
  summary: "Every lock file that the configuration names, looked at now; takes up to 10 s",
  gives: { status: 200, schema: list(lockView) },
  answer: async (_, { control }) => json(await control.locks()),
};

interface ScheduleTimes {
  jobs: readonly string[];
  schedule: string;
  times: readonly number[];
}

const schedule: ApiRoute<never, { count: number }> = {
  method: "GET",
  path: "/api/v1/schedule",
  summary: "The next times of every schedule",
  query: { count: { type: "integer", minimum: 1, maximum: 100, default: 3, description: "So many of each" } },
  gives: {
    status: 200,
    schema: list(objectOf<ScheduleTimes>({ jobs: list(anyText), schedule: anyText, times: list(time) })),
  },
  answer: ({ query }, { control }) => json(control.schedule(query.count)),
};

export function noJob(jobId: string) {
  return notFound(`there is no job ${JSON.stringify(jobId)}`);
}

export const statusRoutes: readonly AnyRoute[] = [status, statusStream, jobs, job, recent, locks, schedule];
