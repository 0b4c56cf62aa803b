import type { Emitter } from "../../base/emitter.ts";
import { redactText } from "../../base/redact.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { saysSomething } from "../../model/run.ts";
import type { LastRun } from "../../model/status.ts";
import type { RecentJobRun } from "../../store/recent-runs.ts";

/** So many runs of each job are kept. */
export const recentRunLimit = 30;

export interface RecentRuns {
  /** Oldest first, at most 30. */
  of(jobId: string): readonly RecentJobRun[];
  /** The newest of them. */
  lastOf(jobId: string): LastRun | null;
  stop(): void;
}

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
  load: (jobId: string) => readonly RecentJobRun[] | undefined;
}): RecentRuns {
  const { events, load } = deps;
  const loaded = new Map<string, readonly RecentJobRun[]>();
  /** Since the start, of jobs whose past is not loaded yet. */
  const ended = new Map<string, readonly RecentJobRun[]>();
  const open = new Map<string, Sums>();
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
    const past = load(jobId);
    if (past === undefined) return own;
    const ids = new Set(own.map(({ runId }) => runId));
    const all = [...past.filter(({ runId }) => !ids.has(runId)), ...own].slice(-recentRunLimit);
    loaded.set(jobId, all);
    ended.delete(jobId);
    return all;
  };
  return {
    of,
    lastOf: (jobId) => {
      const last = of(jobId).at(-1);
      if (last === undefined) return null;
      const { runId, outcome, message, startedAt, finishedAt } = last;
      return { runId, outcome, message, startedAt, finishedAt };
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return value === null || value === undefined ? sum : (sum ?? 0) + value;
}
