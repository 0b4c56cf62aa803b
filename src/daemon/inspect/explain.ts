import { hostname } from "node:os";
import { describeError, OperatorError } from "../../base/errors.ts";
import type { Config, Job } from "../../config/resolved.ts";
import type { PendingSummary } from "../../model/changes.ts";
import type { LockPlace } from "../../model/run.ts";
import type { Pause } from "../../model/status.ts";
import type { LockEventRecord } from "../../store/lock-events.ts";
import { readHistory } from "../../store/open-history.ts";
import type { RunHistory, RunSummary } from "../../store/run-history.ts";
import { planSchedules, upcomingTimes } from "../../trigger/schedule-plan.ts";
import { explainLocks, type LockExplanation, type LookDeps } from "./explain-locks.ts";
import { findDirector, type FoundDirector } from "./find-director.ts";
import { readPausesOf } from "./read-pauses.ts";
import { historyFile, pidFile } from "../paths.ts";

/** What a job does just now, as the history of its director says. */
export type Activity =
  | { readonly kind: "idle" }
  | { readonly kind: "runs"; readonly runId: string; readonly startedAt: number }
  | { readonly kind: "waits"; readonly runId: string; readonly startedAt: number; readonly wait: Wait }
  /** It is part of a run that works on other jobs first. */
  | { readonly kind: "next"; readonly runId: string; readonly startedAt: number; readonly current: readonly string[] }
  | { readonly kind: "unknown"; readonly detail: string };

/** A wait for the locks of others. */
export interface Wait {
  readonly sinceAt: number;
  /** What was last said to be in the way. */
  readonly place: LockPlace | null;
  readonly because: string;
  /** When it ends at the latest, and what becomes of the job then; null: it waits for ever. */
  readonly until: {
    readonly at: number;
    readonly means: "skip" | "fail";
    readonly key: "timeout" | "jobs.timeout";
  } | null;
}

export interface Explanation {
  readonly job: string;
  readonly rsyncId: string;
  readonly enabled: boolean;
  readonly director: FoundDirector;
  readonly activity: Activity;
  /** Runs under way that the job has no part in: one that is asked for now comes after them. */
  readonly otherRuns: readonly {
    readonly runId: string;
    readonly startedAt: number;
    readonly jobs: readonly string[];
  }[];
  readonly schedules: readonly string[];
  /** The paths whose changes start it; empty: none do. */
  readonly watches: readonly string[];
  /** When the schedule starts it next; null: never. */
  readonly nextAt: number | null;
  readonly last: { readonly runId: string; readonly outcome: string; readonly startedAt: number } | null;
  readonly locks: readonly LockExplanation[];
  /** null: it is not paused. */
  readonly paused: Pause | null;
  /** What has changed and has not arrived, for each of its destinations that lacks something. */
  readonly pending: readonly PendingSummary[];
  /** A lock that looked stale was left alone: the last such line of the present wait. */
  readonly spared: LockEventRecord | null;
}

export interface ExplainDeps extends LookDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds out why a job waits or does not run: looks at the director, its history and every lock file, and
 * changes nothing. Throws an `OperatorError` when the configuration has no such job.
 */
export async function explainJob(config: Config, jobId: string, deps: ExplainDeps): Promise<Explanation> {
  const job = config.jobs.find(({ id }) => id === jobId);
  if (job === undefined) {
    const names = config.jobs.map(({ id }) => id).join(", ");
    throw new OperatorError(`the configuration has no job ${JSON.stringify(jobId)}; it has ${names}`);
  }
  const { clock, env } = deps;
  const [director, recorded] = await Promise.all([findOwner(config, env), readRecorded(config, job, env)]);
  const { activity } = recorded;
  const ownRun = "runId" in activity ? activity.runId : undefined;
  const plan = planSchedules(config, { hostname: hostname() }).find(({ jobs }) => jobs.includes(job.id));
  const next = plan === undefined ? undefined : upcomingTimes(plan, clock.now() - plan.offsetMs, 1)[0];
  const isLeft = ({ holder }: LockExplanation) =>
    director.state === "stopped" && holder?.rsyncId === config.rsyncId && holder.host === hostname();
  const seen = (await explainLocks(config, job, { ownRun, deps })).map((lock) => ({ ...lock, leftover: isLeft(lock) }));
  const locks =
    activity.kind === "waits" ? seen.map((lock) => asWatched(lock, clock.now() - activity.wait.sinceAt)) : seen;
  return {
    job: job.id,
    rsyncId: config.rsyncId,
    enabled: job.enabled,
    director,
    ...recorded,
    activity: withEnd(activity, job, locks),
    schedules: plan?.times.map(({ fields }) => fields.expression) ?? [],
    watches: job.watch?.paths ?? [],
    nextAt: next?.startsAt ?? null,
    paused: readPausesOf(config, { env, now: clock.now() }).get(job.id) ?? null,
    locks,
  };
}

async function findOwner(config: Config, env: ExplainDeps["env"]): Promise<FoundDirector> {
  try {
    return await findDirector(pidFile(config, env));
  } catch (error) {
    return { state: "unknown", detail: describeError(error) };
  }
}

type Recorded = Pick<Explanation, "activity" | "otherRuns" | "last" | "spared" | "pending">;

/** What the history says; a history that cannot be read makes nothing certain. */
async function readRecorded(config: Config, job: Job, env: ExplainDeps["env"]): Promise<Recorded> {
  const nothing = { otherRuns: [], last: null, spared: null, pending: [] };
  try {
    const history = await readHistory(historyFile(config, env));
    if (history === undefined) return { ...nothing, activity: { kind: "idle" } };
    try {
      const pending = history.pending().filter(({ jobId }) => jobId === job.id);
      return { ...readActivity(history, job), pending };
    } finally {
      history.close();
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { ...nothing, activity: { kind: "unknown", detail: error.message } };
  }
}

function readActivity(history: RunHistory, job: Job): Omit<Recorded, "pending"> {
  const open = history.openRuns();
  const isPart = (run: RunSummary) =>
    run.requestedJobs.includes(job.id) &&
    !run.jobs.some(({ jobId, outcome }) => jobId === job.id && outcome !== "running");
  const own = open.find(isPart);
  const otherRuns = open
    .filter((run) => run !== own)
    .map(({ runId, startedAt, requestedJobs }) => ({ runId, startedAt, jobs: requestedJobs }));
  const ended = history
    .listRuns({ jobId: job.id, limit: 5 })
    .flatMap(({ runId, startedAt, jobs }) => ({ runId, startedAt, job: jobs.find(({ jobId }) => jobId === job.id) }))
    .find((run) => run.job !== undefined && run.job.outcome !== "running");
  const last = ended?.job === undefined ? null : { ...ended, outcome: ended.job.outcome };
  const shared = { otherRuns, last: last && { runId: last.runId, outcome: last.outcome, startedAt: last.startedAt } };
  if (own === undefined) return { ...shared, activity: { kind: "idle" }, spared: null };
  const { runId } = own;
  const record = history.readRun(runId)?.jobs.find(({ jobId }) => jobId === job.id);
  if (record === undefined) {
    const current = own.jobs.filter(({ outcome }) => outcome === "running").map(({ jobId }) => jobId);
    return { ...shared, activity: { kind: "next", runId, startedAt: own.startedAt, current }, spared: null };
  }
  const { startedAt } = record;
  const events = history.lockEvents({ runId, jobId: job.id, limit: 5000 });
  const wait = findWait(events);
  const spared = events.findLast(({ kind }) => kind === "spared") ?? null;
  if (wait === undefined) return { ...shared, activity: { kind: "runs", runId, startedAt }, spared: null };
  return { ...shared, activity: { kind: "waits", runId, startedAt, wait }, spared };
}

/** The wait that has not ended yet, if there is one. */
function findWait(events: readonly LockEventRecord[]): Wait | undefined {
  const waits = events.slice(events.findLastIndex(({ kind }) => kind === "waited") + 1);
  const first = waits.find(({ kind }) => kind === "waiting");
  const now = waits.findLast(({ kind }) => kind === "waiting");
  if (first === undefined || now === undefined) return undefined;
  const because = now.owner ?? now.detail ?? "";
  return { sinceAt: first.at, place: now.place, because, until: null };
}

/** A job that waits has been watching for a while already, if nothing has changed in the file since. */
function asWatched(lock: LockExplanation, waitedMs: number): LockExplanation {
  const { stale, ageSeconds } = lock;
  if (stale?.kind !== "bounded" || ageSeconds === null) return lock;
  const watchedMs = Math.max(0, Math.min(waitedMs, ageSeconds * 1000));
  return { ...lock, stale: { ...stale, withinMs: Math.max(0, stale.withinMs - watchedMs) } };
}

function withEnd(activity: Activity, job: Job, locks: readonly LockExplanation[]): Activity {
  if (activity.kind !== "waits") return activity;
  const { wait, startedAt } = activity;
  return { ...activity, wait: { ...wait, until: endOfWait(job, locks, wait.sinceAt, startedAt) } };
}

/** The nearest of the timeouts that apply: of the blocks that are in the way now, and of the whole job. */
function endOfWait(job: Job, locks: readonly LockExplanation[], since: number, startedAt: number): Wait["until"] {
  const blocks = locks
    .filter(({ state, own }) => state !== "free" && !own)
    .flatMap(({ block }) =>
      block === null || block.timeoutMs === null
        ? []
        : [{ at: since + block.timeoutMs, means: block.onTimeout, key: "timeout" as const }],
    );
  const whole =
    job.timeoutMs === undefined
      ? []
      : [{ at: startedAt + job.timeoutMs, means: "fail" as const, key: "jobs.timeout" as const }];
  return [...blocks, ...whole].toSorted((a, b) => a.at - b.at)[0] ?? null;
}
