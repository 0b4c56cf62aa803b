import type { RecentJobRun } from "../../src/store/recent-runs.ts";
import type { RunHistory, RunRecord, RunSummary } from "../../src/store/run-history.ts";
import { isSuccess } from "../../src/model/run.ts";

/** A history in memory: the given runs (in any order, they may change) and what their actions wrote. */
export function createFakeHistory(runs: readonly RunRecord[], outputs: ReadonlyMap<string, string>): RunHistory {
  const newestFirst = () => runs.toSorted((one, other) => other.startedAt - one.startedAt);
  return {
    listRuns: ({ jobId, withoutSuccess, since = 0, limit }) =>
      newestFirst()
        .filter((run) => run.startedAt >= since && (jobId === undefined || run.jobs.some((job) => job.jobId === jobId)))
        .filter((run) => withoutSuccess !== true || !succeeded(run, jobId))
        .slice(0, limit)
        .map(summaryOf),
    openRuns: () =>
      newestFirst()
        .toReversed()
        .filter(({ outcome }) => outcome === "running")
        .map(summaryOf),
    lockEvents: ({ runId, jobId, since = 0, limit }) =>
      runs
        .flatMap(({ lockEvents }) => lockEvents)
        .filter((event) => runId === undefined || event.runId === runId)
        .filter((event) => jobId === undefined || event.jobId === jobId)
        .filter((event) => event.at >= since)
        .slice(-limit),
    findRunIds: (prefix, limit) =>
      newestFirst()
        .map(({ runId }) => runId)
        .filter((runId) => runId.startsWith(prefix))
        .slice(0, limit),
    readRun: (wanted) => runs.find(({ runId }) => runId === wanted),
    readOutput: (runId, jobId, of) => outputs.get(outputKey(runId, { jobId, ...of })),
    recentRuns: (jobId, limit) => triedJobs(runs, jobId).slice(-limit),
    lastRuns: () =>
      new Map(
        runs
          .flatMap(({ jobs }) => jobs)
          .flatMap(({ jobId }) =>
            triedJobs(runs, jobId)
              .slice(-1)
              .map((run) => [jobId, run]),
          ),
      ),
  };
}

/** What the runs say of one job, oldest first. */
function triedJobs(runs: readonly RunRecord[], jobId: string): RecentJobRun[] {
  return runs
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .flatMap(({ runId, jobs }) => jobs.filter((job) => job.jobId === jobId).map((job) => ({ runId, job })))
    .flatMap(({ runId, job }) => {
      const { outcome, message, startedAt, finishedAt } = job;
      if (outcome === "running" || finishedAt === null) return [];
      return [
        {
          runId,
          outcome,
          message,
          startedAt,
          finishedAt,
          durationMs: finishedAt - startedAt,
          bytes: null,
          files: null,
        },
      ];
    });
}

export interface OutputOf {
  readonly jobId: string;
  readonly actionId: string;
  readonly targetId: string;
  readonly attempt: number;
}

export function outputKey(runId: string, { jobId, actionId, targetId, attempt }: OutputOf): string {
  return JSON.stringify([runId, jobId, actionId, targetId, attempt]);
}

function succeeded(run: RunRecord, jobId: string | undefined): boolean {
  const outcome = jobId === undefined ? run.outcome : run.jobs.find((job) => job.jobId === jobId)?.outcome;
  return outcome !== undefined && outcome !== "running" && isSuccess(outcome);
}

function summaryOf({ jobs, ...run }: RunRecord): RunSummary {
  const summary = { ...run, lockEvents: undefined, jobs: jobs.map(({ jobId, outcome }) => ({ jobId, outcome })) };
  delete summary.lockEvents;
  return summary;
}
