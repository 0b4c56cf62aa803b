import type { ReloadAnswer } from "./director-control.ts";
import { type AnyRoute, answered, type ApiRoute, json, type NoQuery } from "./api-route.ts";
import { anyText, flag, list, objectOf, orNull } from "./json-schema.ts";
import { pause as pauseSchema } from "./status-schemas.ts";

const runId = objectOf<{ runId: string }>({ runId: anyText });
/** Nothing has to be said, but a body has to be there: what a foreign page can send without asking has none of this type. */
const nothing = objectOf<object>({});
const longestPauseSeconds = 10 * 366 * 86_400;

const run: ApiRoute<never, NoQuery, { jobs: readonly string[] }> = {
  method: "POST",
  path: "/api/v1/runs",
  summary: "Run jobs now; no jobs: every enabled one",
  body: objectOf<{ jobs: readonly string[] }>({ jobs: list({ type: "string", maxLength: 64 }) }),
  gives: { status: 202, schema: runId },
  answer: ({ body, by }, { control }) => answered(control.run(body.jobs, by), 202),
};

const cancel: ApiRoute<"run"> = {
  method: "POST",
  path: "/api/v1/runs/{run}/cancel",
  summary: "Cancel a run; answers when it has ended and its locks are free",
  body: nothing,
  gives: { status: 200, schema: runId },
  answer: async ({ params, by }, { control }) => answered(await control.cancel(params.run, by)),
};

interface PauseBody {
  seconds: number | null;
  reason?: string | null;
}

const pause: ApiRoute<"job", NoQuery, PauseBody> = {
  method: "POST",
  path: "/api/v1/jobs/{job}/pause",
  summary: "Let nothing run a job for a time, or until somebody resumes it; a run in progress goes on",
  body: objectOf<PauseBody>(
    {
      seconds: orNull({ type: "number", minimum: 1, maximum: longestPauseSeconds }),
      reason: orNull({ type: "string", maxLength: 200 }),
    },
    { optional: ["reason"] },
  ),
  gives: { status: 200, schema: pauseSchema },
  answer: ({ params, body: { seconds, reason = null }, by }, { control, clock }) => {
    const until = seconds === null ? null : clock.now() + Math.round(seconds * 1000);
    return answered(control.pause(params.job, { until, by, reason }));
  },
};

const resume: ApiRoute<"job"> = {
  method: "POST",
  path: "/api/v1/jobs/{job}/resume",
  summary: "End the pause of a job",
  body: nothing,
  gives: { status: 200, schema: objectOf<{ wasPaused: boolean }>({ wasPaused: flag }) },
  answer: ({ params, by }, { control }) => answered(control.resume(params.job, by)),
};

type ReloadOf<Ok extends boolean> = Extract<ReloadAnswer, { ok: Ok }>;

const reload: ApiRoute = {
  method: "POST",
  path: "/api/v1/reload",
  summary: "Read the configuration again",
  body: nothing,
  gives: {
    status: 200,
    schema: objectOf<ReloadOf<true>>({ ok: { const: true }, message: anyText, warnings: list(anyText) }),
  },
  otherwise: {
    status: 422,
    description: "The new configuration is bad, and the old one goes on",
    schema: objectOf<ReloadOf<false>>({ ok: { const: false }, message: anyText, problems: list(anyText) }),
  },
  answer: async ({ by }, { control }) => {
    const answer = await control.reload(by);
    return json(answer, answer.ok ? 200 : 422);
  },
};

export const commandRoutes: readonly AnyRoute[] = [run, cancel, pause, resume, reload];
