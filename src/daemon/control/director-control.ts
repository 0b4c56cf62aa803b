import { hostname } from "node:os";
import type { Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import type { Logger } from "../../base/logger.ts";
import type { Config, LockFile } from "../../config/resolved.ts";
import type { PendingSummary } from "../../model/changes.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { ClockDoubt, InstanceStatus, LockLimit } from "../../model/status.ts";
import { runTool } from "../../process/run-tool.ts";
import { startChild } from "../../process/start-child.ts";
import type { Dispatcher } from "../../run/dispatcher.ts";
import type { History } from "../../store/open-history.ts";
import { type SchedulePlan, upcomingTimes } from "../../trigger/schedule-plan.ts";
import type { DirectorControl } from "../../web/director-control.ts";
import { backupRoots } from "../inspect/change-archives.ts";
import { openChangeRecords } from "./change-records.ts";
import { keepDueTimes } from "./due-times.ts";
import { createEventFeed } from "./event-feed.ts";
import { createJobRequests } from "./job-requests.ts";
import { keepLastResults, type LastResults } from "./last-results.ts";
import { keepLiveJobs } from "./live-jobs.ts";
import { createLockLook } from "./lock-views.ts";
import { keepOpenRuns } from "./open-runs.ts";
import type { Pauses } from "./pauses.ts";
import { keepRecentRuns } from "./recent-runs.ts";
import type { Reloader } from "./reload.ts";
import { createStatusBoard } from "./status-board.ts";
import { createStatusFeed } from "./status-feed.ts";

export interface DirectorControlDeps {
  /** The configuration that is in use. */
  config: () => Config;
  plans: () => readonly SchedulePlan[];
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  events: Emitter<DirectorEvents>;
  history: Pick<History, "lastJobResults" | "query" | "state">;
  pending: () => readonly PendingSummary[];
  dispatcher: Pick<Dispatcher, "submit" | "cancelRun">;
  limitOf: (lock: LockFile) => LockLimit | undefined;
  /** As `ClockWatch`. */
  clockDoubt: () => ClockDoubt | null;
  pauses: Pauses;
  reloader: Reloader;
  isStopping: () => boolean;
  clock: Clock;
  log: Logger;
}

/** What the listeners are given, and what keeps it up to date. */
export interface RunningControl {
  readonly control: DirectorControl;
  readonly results: LastResults;
  /** Whether the job is in a run just now, waiting for locks included. */
  isActive(jobId: string): boolean;
  /** Another configuration is in use. */
  reconfigured(): void;
  close(): void;
}

/**
 * Keeps what people ask about, from the first event on, and carries out what they tell the director. It is made before
 * the triggers start, so that it misses nothing.
 */
export function createDirectorControl(deps: DirectorControlDeps): RunningControl {
  const { config, clock, env, events, history, log, pauses, reloader } = deps;
  const startedAt = clock.now();
  const runs = keepOpenRuns(events);
  const live = keepLiveJobs(events);
  const results = keepLastResults({ events, history });
  const recent = keepRecentRuns({
    events,
    loadLast: () => history.query((past) => past.lastRuns()),
    load: (jobId, limit) => history.query((past) => past.recentRuns(jobId, limit)),
    clock,
  });
  const due = keepDueTimes();
  const pauseOf = (jobId: string) => pauses.of(jobId);
  const board = createStatusBoard({ ...{ events, config, runs, live, results, recent, due }, ...deps, pauseOf });
  const changes = openChangeRecords({ events, log });
  const status = (): InstanceStatus => {
    const at = clock.now();
    return {
      ...{ rsyncId: config().rsyncId, version: deps.version, pid: process.pid, hostname: hostname() },
      ...{ startedAt, at, configFile: config().file, configLoadedAt: reloader.loadedAt(), lastReload: reloader.last() },
      ...{ history: history.state(), clockDoubt: deps.clockDoubt(), jobs: board.jobs(at), runs: board.runs() },
    };
  };
  const feed = createEventFeed({ events, log });
  const statusFeed = createStatusFeed({ events, status, clock, log });
  const reconfigured = () => {
    due.replan(deps.plans());
    void changes.use(backupRoots(config(), env));
    recent.warm(config().jobs.map(({ id }) => id));
  };
  reconfigured();
  return {
    control: {
      status,
      recentRuns: (jobId) => recent.of(jobId).map(({ message: _message, finishedAt: _finishedAt, ...run }) => run),
      queryHistory: (ask) => history.query(ask),
      changes: (query) => changes.find(query),
      changeDiff: (id) => changes.difference(id),
      locks: createLockLook({ config, env, clock, runTool, startChild }),
      schedule: (count) => deps.plans().map((plan) => nextTimes(plan, { now: clock.now(), count })),
      ...createJobRequests({ ...deps, now: () => clock.now() }),
      reload: (by) => reloader.reload(by),
      follow: (options, listener) => feed.follow(options, listener),
      onStatus: (listener) => statusFeed.listen(listener),
    },
    results,
    isActive: (jobId) => live.of(jobId) !== undefined,
    reconfigured,
    close: () => {
      for (const part of [statusFeed, feed, board, recent, results, live, runs]) part.stop();
      changes.close();
    },
  };
}

function nextTimes(plan: SchedulePlan, { now, count }: { now: number; count: number }) {
  const times = upcomingTimes(plan, now - plan.offsetMs, count);
  return {
    jobs: plan.jobs,
    schedule: plan.times.map(({ fields }) => fields.expression).join(", "),
    times: times.map(({ startsAt }) => startsAt),
  };
}
