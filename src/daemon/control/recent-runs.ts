import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import { redactText } from "../../base/redact.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { saysSomething } from "../../model/run.ts";
import type { LastRun } from "../../model/status.ts";
import type { RecentJobRun } from "../../store/recent-runs.ts";

/** So many runs of each job are kept. */
const recentRunLimit = 30;

export interface RecentRuns {
  /** Oldest first, at most 30. */
  of(jobId: string): readonly RecentJobRun[];
  /** The newest of them; costs little, also of a job that nobody has asked about. */
  lastOf(jobId: string): LastRun | null;
  /** Loads the runs of these jobs little by little, before somebody asks for all of them at once. */
  warm(jobIds: readonly string[]): void;
  stop(): void;
}

/** Between two jobs, of which each takes about a tenth of this: runs go on. */
const pauseMs = 20;

interface Sums {
  bytes: number | null;
  files: number | null;
}

/**
 * The last runs of each job: from the history when a job is first asked about, and from then on by what happens. A job
 * that the history could not tell of (`load` answers undefined) is asked for again the next time.
 */
export function keepRecentRuns(deps: {
  events: Emitter<DirectorEvents>;
  load: (jobId: string, limit: number) => readonly RecentJobRun[] | undefined;
  /** The last run of every job. */
  loadLast: () => ReadonlyMap<string, RecentJobRun> | undefined;
  clock: Clock;
}): RecentRuns {
  const { events, load, loadLast, clock } = deps;
  const loaded = new Map<string, readonly RecentJobRun[]>();
  /** Since the start, of jobs whose past is not loaded yet. */
  const ended = new Map<string, readonly RecentJobRun[]>();
  /** The newest of what is not loaded yet; undefined: the history could not say so far. */
  let newest: ReadonlyMap<string, RecentJobRun> | undefined;
  const open = new Map<string, Sums>();
  let cancelTimer: CancelTimer | undefined;
  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;

  const unsubscribe = [
    events.on("action:finished", (event) => {
      const sums = open.get(keyOf(event)) ?? { bytes: null, files: null };
      const stats = event.outcome.report?.stats;
      open.set(keyOf(event), {
        bytes: addKnown(sums.bytes, stats?.transferredBytes),
        files: addKnown(sums.files, stats?.filesTransferred),
      });
    }),
    events.on("job:finished", (event) => {
      const { runId, jobId, outcome, startedAt, at } = event;
      const { bytes, files } = open.get(keyOf(event)) ?? { bytes: null, files: null };
      open.delete(keyOf(event));
      if (!saysSomething(outcome)) return;
      const message = outcome.kind === "ok" ? null : redactText(outcome.message);
      const run = { runId, outcome: outcome.kind, message, startedAt, finishedAt: at, bytes, files };
      const runs = loaded.has(jobId) ? loaded : ended;
      const longer = [...(runs.get(jobId) ?? []), { ...run, durationMs: Math.max(0, at - startedAt) }];
      runs.set(jobId, longer.slice(-recentRunLimit));
    }),
  ];

  const of = (jobId: string): readonly RecentJobRun[] => {
    const known = loaded.get(jobId);
    if (known !== undefined) return known;
    const own = ended.get(jobId) ?? [];
    const past = load(jobId, recentRunLimit);
    if (past === undefined) return own;
    const ids = new Set(own.map(({ runId }) => runId));
    const all = [...past.filter(({ runId }) => !ids.has(runId)), ...own].slice(-recentRunLimit);
    loaded.set(jobId, all);
    ended.delete(jobId);
    return all;
  };
  const lastOf = (jobId: string): RecentJobRun | null => {
    const known = loaded.get(jobId) ?? ended.get(jobId);
    if (known !== undefined) return known.at(-1) ?? null;
    newest ??= loadLast();
    return newest?.get(jobId) ?? null;
  };
  const warm = (jobIds: readonly string[]) => {
    cancelTimer?.();
    const [first, ...others] = jobIds.filter((id) => !loaded.has(id));
    if (first === undefined) return;
    cancelTimer = clock.setTimer(pauseMs, () => {
      of(first);
      warm(others);
    });
  };
  return {
    of,
    lastOf: (jobId) => {
      const last = lastOf(jobId);
      if (last === null) return null;
      const { runId, outcome, message, startedAt, finishedAt } = last;
      return { runId, outcome, message, startedAt, finishedAt };
    },
    warm,
    stop: () => {
      unsubscribe.forEach((end) => end());
      cancelTimer?.();
    },
  };
}

function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return value === null || value === undefined ? sum : (sum ?? 0) + value;
}
