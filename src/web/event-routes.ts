import type { DirectorEvents } from "../model/events.ts";
import type { JobOutcome } from "../model/run.ts";
import type { JobRecord, RunRecord } from "../store/run-history.ts";
import { type AnyRoute, type ApiAnswer, type ApiRoute, unavailable } from "./api-route.ts";
import type { DirectorControl } from "./director-control.ts";
import { noRun } from "./run-routes.ts";
import { noJob } from "./status-routes.ts";

const runEvents: ApiRoute<"run"> = {
  method: "GET",
  path: "/api/v1/runs/{run}/events",
  summary: "Events of one run: its last thousand, then each as it happens, until `run:finished`",
  gives: "events",
  answer: ({ params: { run: runId } }, { control }) => {
    if (isKnownToFollow(control, runId)) return followRun(control, runId);
    const found = control.queryHistory((history) => ({ record: history.readRun(runId) }));
    if (found === undefined) return unavailable("the history does not work: see the log of the director");
    return found.record === undefined ? noRun(runId) : tellEnd(found.record);
  },
};

/** Whether its end will come, or can be told again: it goes on, or has ended not long ago. */
function isKnownToFollow(control: DirectorControl, runId: string): boolean {
  if (control.status().runs.some((open) => open.runId === runId)) return true;
  let ended = false;
  control.follow({ runId }, ({ name }) => (ended ||= name === "run:finished"))();
  return ended;
}

function followRun(control: DirectorControl, runId: string): ApiAnswer {
  return {
    kind: "events",
    follow: (sink) =>
      control.follow({ runId }, ({ name, payload }) => {
        sink.send(name, payload);
        if (name === "run:finished") sink.end();
      }),
  };
}

/** The events of an old run are gone; its end is in the history. */
function tellEnd(record: RunRecord): ApiAnswer {
  return {
    kind: "events",
    follow: (sink) => {
      sink.send("run:finished", recordedEnd(record));
      sink.end();
      return () => undefined;
    },
  };
}

function recordedEnd({ runId, cause, startedAt, outcome, ...record }: RunRecord): DirectorEvents["run:finished"] {
  // One that was interrupted has no end: the last that is known of it takes its place.
  const known = record.jobs.map((job) => job.finishedAt ?? job.startedAt);
  return {
    runId,
    cause,
    startedAt,
    finishedAt: record.finishedAt ?? Math.max(startedAt, ...known),
    outcome: outcome === "running" ? "failed" : outcome,
    jobs: record.jobs.map((job) => ({
      jobId: job.jobId,
      outcome: jobOutcome(job),
      startedAt: job.startedAt,
      finishedAt: job.finishedAt ?? job.startedAt,
    })),
  };
}

function jobOutcome({ outcome, message, reason, failedAction }: JobRecord): JobOutcome {
  const text = message ?? "";
  switch (outcome) {
    case "ok":
      return { kind: "ok" };
    case "warning":
      return { kind: "warning", message: text };
    case "skipped":
      return { kind: "skipped", message: text, cause: reason as Extract<JobOutcome, { kind: "skipped" }>["cause"] };
    case "cancelled":
      return {
        kind: "cancelled",
        message: text,
        reason: reason as Extract<JobOutcome, { kind: "cancelled" }>["reason"],
      };
    case "failed":
    case "running":
      return { kind: "failed", message: text, actionId: failedAction };
  }
}

const events: ApiRoute<never, { job?: string }> = {
  method: "GET",
  path: "/api/v1/events",
  summary: "Events of everything from now on",
  query: { job: { type: "string", maxLength: 256, description: "Those of one job" } },
  gives: "events",
  answer: ({ query: { job } }, { control }) => {
    if (job !== undefined && !control.status().jobs.some(({ jobId }) => jobId === job)) return noJob(job);
    const options = job === undefined ? {} : { jobId: job };
    return {
      kind: "events",
      follow: (sink) => control.follow(options, ({ name, payload }) => sink.send(name, payload)),
    };
  },
};

export const eventRoutes: readonly AnyRoute[] = [runEvents, events];
