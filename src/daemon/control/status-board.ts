import type { Config, Job, LockFile } from "../../config/resolved.ts";
import { pendingByTarget, type PendingSummary, type WatchState } from "../../model/changes.ts";
import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { freshnessOf, worstFreshness } from "../../model/freshness.ts";
import type { JobFencing, JobStatus, LockLimit, OpenRun, Pause, TargetStatus } from "../../model/status.ts";
import type { DueTimesBook } from "./due-times.ts";
import type { LastResults } from "./last-results.ts";
import type { LiveJob, LiveJobs } from "./live-jobs.ts";
import type { OpenRuns } from "./open-runs.ts";
import type { RecentRuns } from "./recent-runs.ts";

export interface StatusBoardDeps {
  readonly events: Emitter<DirectorEvents>;
  readonly config: () => Config;
  readonly runs: OpenRuns;
  readonly live: LiveJobs;
  readonly results: LastResults;
  readonly recent: RecentRuns;
  readonly due: DueTimesBook;
  readonly pauseOf: (jobId: string) => Pause | undefined;
  readonly pending: () => readonly PendingSummary[];
  /** As `LockLimits`. */
  readonly limitOf: (lock: LockFile) => LockLimit | undefined;
}

/** What is known of every job just now. It only gathers what others keep, so that to ask costs little. */
export interface StatusBoard {
  /** In the order of the configuration. `now`: wall clock. */
  jobs(now: number): JobStatus[];
  runs(): readonly OpenRun[];
  stop(): void;
}

export function createStatusBoard(deps: StatusBoardDeps): StatusBoard {
  const { events, config, runs } = deps;
  const next = new Map<string, number | null>();
  const watches = new Map<string, WatchState>();
  const fencings = new Map<string, JobFencing>();
  const unsubscribe = [
    events.on("schedule:next", (event) => event.jobs.forEach((jobId) => next.set(jobId, event.next))),
    events.on("watch:state", ({ jobId, state }) => void watches.set(jobId, state)),
    events.on("job:fencing", ({ jobId, fencing, reason }) => void fencings.set(jobId, { state: fencing, reason })),
  ];
  return {
    jobs: (now) => {
      const pending = pendingByTarget(deps.pending());
      const runOf = runs.byJob();
      const { jobs, schedules } = config();
      return jobs.map((job) =>
        jobStatus(deps, job, {
          now,
          pending,
          runId: runOf.get(job.id) ?? null,
          schedules: job.schedules.length > 0 ? job.schedules : schedules,
          nextAt: next.get(job.id) ?? null,
          watch: watches.get(job.id) ?? notYet,
          fencing: fencings.get(job.id) ?? null,
        }),
      );
    },
    runs: () => runs.list(),
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

const notYet: WatchState = { directories: 0, degraded: "the watches are not up yet" };

interface Context {
  readonly now: number;
  readonly pending: ReturnType<typeof pendingByTarget>;
  readonly runId: string | null;
  readonly schedules: readonly string[];
  /** As it was told last, also of a job that no schedule runs any more. */
  readonly nextAt: number | null;
  readonly watch: WatchState;
  readonly fencing: JobFencing | null;
}

function jobStatus(deps: StatusBoardDeps, job: Job, context: Context): JobStatus {
  const { live, results, recent } = deps;
  const { schedules, nextAt, watch, fencing } = context;
  const running = live.of(job.id);
  const targets = job.targets.map(({ id }) => targetStatus(deps, job, id, context));
  return {
    jobId: job.id,
    enabled: job.enabled,
    activity: activityOf(running, context.runId),
    paused: deps.pauseOf(job.id) ?? null,
    freshness: worstFreshness(targets.map(({ freshness }) => freshness)),
    targets,
    lastRun: recent.lastOf(job.id),
    lastSuccessAt: results.of(job.id, "")?.lastSuccessAt ?? null,
    nextRunAt: job.enabled && schedules.length > 0 ? nextAt : null,
    schedules,
    watch: job.watch === undefined || !job.enabled ? null : watch,
    runId: running?.runId ?? context.runId,
    waitingFor: running?.waitingFor ?? null,
    actions: running?.actions ?? [],
    locks: live.locksOf(job.id),
    fencing,
    lockLimits: limitsOf(job, deps.limitOf),
  };
}

/** Each once: many locks of a job lie on one host. */
function limitsOf({ lockFiles, blocksOn }: Job, limitOf: StatusBoardDeps["limitOf"]): LockLimit[] {
  const limits = [...lockFiles, ...blocksOn.map(({ lock }) => lock)].flatMap((lock) => limitOf(lock) ?? []);
  return limits.length < 2 ? limits : [...new Map(limits.map((limit) => [JSON.stringify(limit), limit])).values()];
}

function activityOf(running: LiveJob | undefined, runId: string | null): JobStatus["activity"] {
  if (running !== undefined) return running.waitingFor === null ? "running" : "waiting";
  return runId === null ? "idle" : "queued";
}

function targetStatus(
  { results, due }: StatusBoardDeps,
  job: Job,
  targetId: string,
  { now, pending }: Context,
): TargetStatus {
  // Of a job with one target only the job as a whole is reported.
  const result = results.of(job.id, job.targets.length === 1 ? "" : targetId);
  const lastSuccessAt = result?.lastSuccessAt ?? null;
  const waiting = pending(job.id, targetId);
  const oldestPendingAt = waiting.length === 0 ? null : Math.min(...waiting.map(({ oldestAt }) => oldestAt));
  const facts = {
    enabled: job.enabled,
    isPastKnown: results.isPastKnown(),
    lastSuccessAt,
    schedule: lastSuccessAt === null ? undefined : due.following(job.id, targetId, lastSuccessAt),
    watch: job.watch === undefined ? undefined : { oldestPendingAt, maxDelayMs: job.watch.maxDelayMs },
  };
  return {
    targetId,
    freshness: freshnessOf(facts, now),
    lastOutcome: result?.outcome ?? null,
    lastFinishedAt: result?.finishedAt ?? null,
    lastSuccessAt,
    pending: oldestPendingAt === null ? null : { files: filesOf(waiting), oldestAt: oldestPendingAt },
  };
}

function filesOf(waiting: readonly PendingSummary[]): number | null {
  if (waiting.some(({ files }) => files === null)) return null;
  return waiting.reduce((sum, { files }) => sum + (files ?? 0), 0);
}
