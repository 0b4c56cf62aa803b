import { AbortReason } from "../../base/abort.ts";
import { describeError } from "../../base/errors.ts";
import type { Config, Job } from "../../config/resolved.ts";
import type { Pause } from "../../model/status.ts";
import type { Dispatcher } from "../../run/dispatcher.ts";
import { enabledJobs } from "../../trigger/schedule-plan.ts";
import type { Answer, DirectorControl, Refusal } from "../../web/director-control.ts";
import { describePause, type Pauses } from "./pauses.ts";

export interface JobRequestDeps {
  readonly config: () => Config;
  readonly dispatcher: Pick<Dispatcher, "submit" | "cancelRun">;
  readonly pauses: Pauses;
  readonly isStopping: () => boolean;
  readonly now: () => number;
}

/** What a person can tell a director about its jobs and runs; every refusal leaves things as they were. */
export function createJobRequests(deps: JobRequestDeps): Pick<DirectorControl, "run" | "cancel" | "pause" | "resume"> {
  const { dispatcher, pauses } = deps;
  return {
    run: (wanted, by) => {
      const refusal = whyNotRun(deps, wanted);
      if (refusal !== undefined) return refusal;
      const jobs = wanted.length === 0 ? enabledJobs(deps.config()) : [...new Set(wanted)];
      const { runId } = dispatcher.submit({ jobs, cause: { kind: "request", by } });
      return done({ runId });
    },
    cancel: async (runId, by) => {
      const ended = dispatcher.cancelRun(runId, new AbortReason("cancelled", `the run was cancelled by ${by}`));
      if (ended === undefined) return { kind: "unknown", message: `there is no run ${runId} that waits or goes on` };
      await ended;
      return done({ runId });
    },
    pause: (jobId, { until, by, reason }) => {
      if (jobOf(deps, jobId) === undefined) return noJob(jobId);
      if (until !== null && until <= deps.now()) return conflict("the pause would be over before it began");
      return kept(() => pauses.pause(jobId, { until, by, reason }));
    },
    resume: (jobId, by) => {
      // Of a job that has left the configuration a pause may be left.
      if (jobOf(deps, jobId) === undefined && pauses.of(jobId) === undefined) return noJob(jobId);
      return kept(() => ({ wasPaused: pauses.resume(jobId, by) }));
    },
  };
}

function whyNotRun(deps: JobRequestDeps, wanted: readonly string[]): Refusal | undefined {
  if (deps.isStopping()) return conflict("the director stops");
  const unknown = wanted.find((id) => jobOf(deps, id) === undefined);
  if (unknown !== undefined) return noJob(unknown);
  const disabled = wanted.find((id) => jobOf(deps, id)?.enabled === false);
  if (disabled !== undefined) return conflict(`the job "${disabled}" is disabled (enabled: false)`);
  const paused = wanted.flatMap((id) => whyPaused(deps.pauses.of(id), id))[0];
  if (paused !== undefined) return conflict(paused);
  if (wanted.length === 0 && enabledJobs(deps.config()).length === 0) return conflict("no job is enabled");
  return undefined;
}

function whyPaused(pause: Pause | undefined, jobId: string): string[] {
  return pause === undefined ? [] : [`${jobId}: ${describePause(jobId, pause)}`];
}

function jobOf({ config }: JobRequestDeps, jobId: string): Job | undefined {
  return config().jobs.find(({ id }) => id === jobId);
}

/** A pause that would not outlast a restart is none. */
function kept<T>(change: () => T): Answer<T> {
  try {
    return done(change());
  } catch (error) {
    return conflict(`nothing was changed, because it cannot be written down: ${describeError(error)}`);
  }
}

function done<T>(value: T): Answer<T> {
  return { kind: "done", value };
}

function noJob(jobId: string): Refusal {
  return { kind: "unknown", message: `there is no job "${jobId}"` };
}

function conflict(message: string): Refusal {
  return { kind: "conflict", message };
}
