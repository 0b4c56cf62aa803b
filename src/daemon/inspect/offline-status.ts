import { hostname } from "node:os";
import { OperatorError } from "../../base/errors.ts";
import type { Config, Job } from "../../config/resolved.ts";
import type { PendingSummary } from "../../model/changes.ts";
import type { LastJobResult } from "../../model/events.ts";
import { freshnessOf, worstFreshness } from "../../model/freshness.ts";
import type { InstanceStatus, JobStatus, LastRun, TargetStatus } from "../../model/status.ts";
import { readHistory } from "../../store/open-history.ts";
import type { RunSummary } from "../../store/run-history.ts";
import { planSchedules, type SchedulePlan, upcomingTimes } from "../../trigger/schedule-plan.ts";
import { type DueTimesBook, keepDueTimes } from "../control/due-times.ts";
import type { PausedJobs } from "../control/pauses-file.ts";
import { readPausesOf } from "./read-pauses.ts";
import { historyFile } from "../paths.ts";

/** What the configuration and the history say when no director can be asked. */
export type OfflineStatus = Pick<InstanceStatus, "rsyncId" | "configFile" | "at" | "history" | "jobs" | "runs">;

interface Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: number;
}

/**
 * Puts the status together from the configuration and the history on disk. Next times are those at which a director
 * would start the jobs if there were one. Never fails: a history that cannot be read makes nothing certain.
 */
export async function readOfflineStatus(config: Config, { env, now }: Options): Promise<OfflineStatus> {
  const recorded = await readRecorded(config, env);
  const plans = planSchedules(config, { hostname: hostname() });
  const due = keepDueTimes();
  due.replan(plans);
  const pauses = readPausesOf(config, { env, now });
  return {
    rsyncId: config.rsyncId,
    configFile: config.file,
    at: now,
    history: recorded.history,
    jobs: config.jobs.map((job) => {
      const plan = plans.find(({ jobs }) => jobs.includes(job.id));
      return jobStatus(job, { recorded, plan, due, pauses, now });
    }),
    runs: recorded.open.map(({ runId, requestedJobs, cause, startedAt }) => ({
      ...{ runId, state: "running" as const, jobs: requestedJobs, cause, queuedAt: startedAt, startedAt },
    })),
  };
}

interface Recorded {
  readonly history: InstanceStatus["history"];
  readonly results: readonly LastJobResult[];
  readonly pending: readonly PendingSummary[];
  readonly open: readonly RunSummary[];
  readonly lastRuns: ReadonlyMap<string, LastRun>;
}

const nothing = { results: [], pending: [], open: [], lastRuns: new Map<string, LastRun>() };

async function readRecorded(config: Config, env: Options["env"]): Promise<Recorded> {
  const file = historyFile(config, env);
  try {
    const history = await readHistory(file);
    if (history === undefined)
      return { ...nothing, history: { ok: false, detail: `there is no history in ${file} yet` } };
    try {
      return {
        history: { ok: true, detail: "" },
        results: history.lastJobResults(),
        pending: history.pending(),
        open: history.openRuns(),
        lastRuns: history.lastRuns(),
      };
    } finally {
      history.close();
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { ...nothing, history: { ok: false, detail: error.message } };
  }
}

interface Facts {
  readonly recorded: Recorded;
  readonly plan: SchedulePlan | undefined;
  readonly due: DueTimesBook;
  readonly pauses: PausedJobs;
  readonly now: number;
}

function jobStatus(job: Job, of: Facts): JobStatus {
  const { recorded, plan, due, pauses, now } = of;
  const resultOf = (targetId: string) =>
    recorded.results.find((result) => result.jobId === job.id && result.targetId === targetId);
  const whole = resultOf("");
  const targets = job.targets.map((target): TargetStatus => {
    const result = job.targets.length === 1 ? whole : resultOf(target.id);
    const lastSuccessAt = result?.lastSuccessAt ?? null;
    const pending = pendingOf(job, target.id, recorded.pending);
    return {
      targetId: target.id,
      freshness: freshnessOf(
        {
          enabled: job.enabled,
          isPastKnown: recorded.history.ok,
          lastSuccessAt,
          schedule: lastSuccessAt === null ? undefined : due.following(job.id, target.id, lastSuccessAt),
          watch: job.watch && { oldestPendingAt: pending?.oldestAt ?? null, maxDelayMs: job.watch.maxDelayMs },
        },
        now,
      ),
      lastOutcome: result?.outcome ?? null,
      lastFinishedAt: result?.finishedAt ?? null,
      lastSuccessAt,
      pending,
    };
  });
  const run = recorded.open.find(({ requestedJobs }) => requestedJobs.includes(job.id));
  const isOver = run?.jobs.some(({ jobId, outcome }) => jobId === job.id && outcome !== "running") === true;
  const hasBegun = run?.jobs.some(({ jobId }) => jobId === job.id) === true;
  return {
    jobId: job.id,
    enabled: job.enabled,
    activity: run === undefined || isOver ? "idle" : hasBegun ? "running" : "queued",
    paused: pauses.get(job.id) ?? null,
    freshness: worstFreshness(targets.map(({ freshness }) => freshness)),
    targets,
    lastRun: lastRunOf(recorded.lastRuns.get(job.id)),
    lastSuccessAt: whole?.lastSuccessAt ?? null,
    nextRunAt: plan === undefined ? null : (upcomingTimes(plan, now - plan.offsetMs, 1)[0]?.startsAt ?? null),
    schedules: plan?.times.map(({ fields }) => fields.expression) ?? [],
    watch: null,
    runId: isOver ? null : (run?.runId ?? null),
    ...{ waitingFor: null, actions: [], locks: [], fencing: null, lockLimits: [] },
  };
}

function lastRunOf(run: LastRun | undefined): LastRun | null {
  if (run === undefined) return null;
  const { runId, outcome, message, startedAt, finishedAt } = run;
  return { runId, outcome, message, startedAt, finishedAt };
}

/** What all actions of the job have for a target; csync2 keeps a list for its peers that is no target's. */
function pendingOf(job: Job, targetId: string, all: readonly PendingSummary[]): TargetStatus["pending"] {
  const its = all.filter((each) => each.jobId === job.id && (job.targets.length === 1 || each.targetId === targetId));
  if (its.length === 0) return null;
  const counts = its.map(({ files }) => files);
  return {
    files: counts.every((count) => count !== null) ? counts.reduce((sum, count) => sum + count, 0) : null,
    oldestAt: Math.min(...its.map(({ oldestAt }) => oldestAt)),
  };
}
