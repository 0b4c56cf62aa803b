import type { DirectorEvents } from "../../src/model/events.ts";
import type { InstanceStatus, LockView, RecentRun } from "../../src/model/status.ts";
import type { RecordedChange } from "../../src/model/tracked-change.ts";
import type { RunRecord } from "../../src/store/run-history.ts";
import type { Answer, DirectorControl, DirectorEvent, ReloadAnswer } from "../../src/web/director-control.ts";
import { createFakeHistory, outputKey } from "./fake-history.ts";
import {
  finishedRunId,
  sampleChanges,
  sampleDiff,
  sampleLocks,
  sampleNow,
  sampleRuns,
  sampleStatus,
} from "./status-samples.ts";

/** As many events of a run as whoever follows it later still gets. */
const keptEvents = 1000;

/**
 * A director in memory with sample data, for whoever shows or commands one. It keeps the promises of
 * `DirectorControl`; the fields are the test's to change.
 */
export interface FakeControl extends DirectorControl {
  /** What was asked to be done, in order, such as `["run", ["home"], "alice"]`. */
  readonly calls: readonly (readonly unknown[])[];
  /** Finished runs; a test may add to them. */
  readonly records: RunRecord[];
  readonly outputs: Map<string, string>;
  lockViews: readonly LockView[];
  /** `undefined`: the ledger does not work. */
  recorded: readonly RecordedChange[] | undefined;
  historyWorks: boolean;
  reloadAnswer: ReloadAnswer;
  /** How many listen: to events, and to the status. */
  listeners(): { events: number; status: number };
  /** Changes the status, and tells those who follow it. */
  setStatus(change: Partial<InstanceStatus>): void;
  /** Something happens: those who follow it are told, and those who follow its run later. */
  emit<Name extends keyof DirectorEvents>(name: Name, payload: DirectorEvents[Name]): void;
}

export interface FakeControlOptions {
  now?: () => number;
  status?: InstanceStatus;
}

export function createFakeControl({ now = () => sampleNow, status = sampleStatus() }: FakeControlOptions = {}) {
  const calls: (readonly unknown[])[] = [];
  const records = sampleRuns();
  const outputs = new Map([
    [
      outputKey(finishedRunId, { jobId: "home", actionId: "copy", targetId: "", attempt: 1 }),
      "sending incremental file list\nnotes.txt\n",
    ],
  ]);
  const eventListeners = new Set<(event: DirectorEvent) => void>();
  const statusListeners = new Set<(status: InstanceStatus) => void>();
  const kept = new Map<string, DirectorEvent[]>();
  const history = createFakeHistory(records, outputs);
  let current = status;
  let lastNumber = 0;

  const job = (jobId: string) => current.jobs.find((each) => each.jobId === jobId);
  const setStatus = (change: Partial<InstanceStatus>) => {
    current = { ...current, at: now(), ...change };
    for (const listener of statusListeners) listener(current);
  };
  const setPause = (jobId: string, paused: InstanceStatus["jobs"][number]["paused"]) =>
    setStatus({ jobs: current.jobs.map((each) => (each.jobId === jobId ? { ...each, paused } : each)) });
  const noJob = (jobId: string) => ({ kind: "unknown", message: `there is no job ${JSON.stringify(jobId)}` }) as const;

  function run(jobs: readonly string[], by: string): Answer<{ runId: string }> {
    calls.push(["run", jobs, by]);
    const missing = jobs.find((jobId) => job(jobId) === undefined);
    if (missing !== undefined) return noJob(missing);
    const disabled = jobs.find((jobId) => job(jobId)?.enabled === false);
    if (disabled !== undefined) return { kind: "conflict", message: `the job ${disabled} is disabled` };
    const asked = jobs.length > 0 ? jobs : current.jobs.filter(({ enabled }) => enabled).map(({ jobId }) => jobId);
    const runId = `20261129-220000-${(lastNumber += 1).toString(16).padStart(6, "0")}`;
    const cause = { kind: "request", by } as const;
    setStatus({
      runs: [...current.runs, { runId, state: "queued", jobs: asked, cause, queuedAt: now(), startedAt: null }],
    });
    emit("run:queued", { runId, jobs: asked, cause, at: now() });
    return { kind: "done", value: { runId } };
  }

  function cancel(runId: string, by: string): Promise<Answer<{ runId: string }>> {
    calls.push(["cancel", runId, by]);
    const open = current.runs.find((each) => each.runId === runId);
    if (open === undefined) {
      const ended = records.some((record) => record.runId === runId);
      return Promise.resolve(
        ended
          ? { kind: "conflict", message: `the run ${runId} has ended` }
          : { kind: "unknown", message: `there is no run ${JSON.stringify(runId)}` },
      );
    }
    setStatus({ runs: current.runs.filter((each) => each !== open) });
    const { cause, queuedAt, startedAt } = open;
    const ended = { runId, cause, startedAt: startedAt ?? queuedAt, finishedAt: now() };
    records.push({
      ...{ ...ended, outcome: "cancelled", message: `cancelled by ${by}`, requestedJobs: [...open.jobs] },
      ...{ jobs: [], lockEvents: [], transferredBytes: null, transferredFiles: null },
    });
    emit("run:finished", { ...ended, outcome: "cancelled", jobs: [] });
    return Promise.resolve({ kind: "done", value: { runId } });
  }

  function emit<Name extends keyof DirectorEvents>(name: Name, payload: DirectorEvents[Name]): void {
    // The pair is one of the union's members, which the compiler cannot see through the type parameter.
    const event = { name, payload } as unknown as DirectorEvent;
    const runId = runOf(event);
    if (runId !== undefined) kept.set(runId, [...(kept.get(runId) ?? []), event].slice(-keptEvents));
    for (const listener of eventListeners) listener(event);
  }

  const fake: FakeControl = {
    calls,
    records,
    outputs,
    lockViews: sampleLocks(),
    recorded: sampleChanges(),
    historyWorks: true,
    reloadAnswer: { ok: true, message: "read again: nothing has changed", warnings: [] },
    listeners: () => ({ events: eventListeners.size, status: statusListeners.size }),
    setStatus,
    emit,

    status: () => ({ ...current, at: now() }),
    recentRuns: (jobId) =>
      records
        .filter((record) => record.jobs.some((each) => each.jobId === jobId))
        .toSorted((one, other) => one.startedAt - other.startedAt)
        .slice(-30)
        .flatMap(recentOf),
    queryHistory: (ask) => (fake.historyWorks ? ask(history) : undefined),
    changes: ({ path, jobId, runId, since = 0, limit }) =>
      fake.recorded
        ?.filter((change) => change.at >= since && (jobId === undefined || change.jobId === jobId))
        .filter((change) => runId === undefined || change.runId === runId)
        .filter((change) => path === undefined || [change.path, change.file].includes(path))
        .slice(0, limit),
    changeDiff: (id) => Promise.resolve(fake.recorded?.some((change) => change.id === id) ? sampleDiff : undefined),
    locks: () => Promise.resolve(fake.lockViews),
    schedule: (count) =>
      current.jobs.flatMap(({ jobId, schedules, nextRunAt }) =>
        schedules.map((schedule) => ({
          jobs: [jobId],
          schedule,
          times: nextRunAt === null ? [] : Array.from({ length: count }, (_, day) => nextRunAt + day * 86_400_000),
        })),
      ),

    run,
    cancel,
    pause: (jobId, { until, by, reason }) => {
      calls.push(["pause", jobId, { until, by, reason }]);
      if (job(jobId) === undefined) return noJob(jobId);
      const pause = { since: now(), until, by, reason };
      setPause(jobId, pause);
      return { kind: "done", value: pause };
    },
    resume: (jobId, by) => {
      calls.push(["resume", jobId, by]);
      const found = job(jobId);
      if (found === undefined) return noJob(jobId);
      setPause(jobId, null);
      return { kind: "done", value: { wasPaused: found.paused !== null } };
    },
    reload: (by) => {
      calls.push(["reload", by]);
      const { ok, message } = fake.reloadAnswer;
      setStatus({ lastReload: { at: now(), ok, message } });
      return Promise.resolve(fake.reloadAnswer);
    },

    follow: ({ runId, jobId }, listener) => {
      const wanted = (event: DirectorEvent) =>
        (runId === undefined || runOf(event) === runId) && (jobId === undefined || jobsOf(event).includes(jobId));
      const tell = (event: DirectorEvent) => void (wanted(event) && listener(event));
      if (runId !== undefined) kept.get(runId)?.forEach(tell);
      eventListeners.add(tell);
      return () => void eventListeners.delete(tell);
    },
    onStatus: (listener) => {
      statusListeners.add(listener);
      return () => void statusListeners.delete(listener);
    },
  };
  return fake;
}

function runOf({ payload }: DirectorEvent): string | undefined {
  return "runId" in payload ? payload.runId : undefined;
}

function jobsOf({ payload }: DirectorEvent): readonly string[] {
  if ("jobId" in payload) return [payload.jobId];
  return "jobs" in payload ? payload.jobs.map((job) => (typeof job === "string" ? job : job.jobId)) : [];
}

function recentOf({ runId, outcome, startedAt, finishedAt, ...run }: RunRecord): RecentRun[] {
  if (outcome === "running" || finishedAt === null) return [];
  const durationMs = finishedAt - startedAt;
  return [{ runId, outcome, startedAt, durationMs, bytes: run.transferredBytes, files: run.transferredFiles }];
}
