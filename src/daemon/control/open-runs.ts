import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { OpenRun } from "../../model/status.ts";

export interface OpenRuns {
  /** Accepted and not finished, oldest first. */
  list(): readonly OpenRun[];
  has(runId: string): boolean;
  /** By job, the oldest open run in which it has not ended. */
  byJob(): ReadonlyMap<string, string>;
  stop(): void;
}

/** Keeps which runs were accepted and have not finished. */
export function keepOpenRuns(events: Emitter<DirectorEvents>): OpenRuns {
  const runs = new Map<string, { run: OpenRun; readonly unfinished: Set<string> }>();
  const unsubscribe = [
    events.on("run:queued", ({ runId, jobs, cause, at }) => {
      const run: OpenRun = { runId, state: "queued", jobs, cause, queuedAt: at, startedAt: null };
      runs.set(runId, { run, unfinished: new Set(jobs) });
    }),
    events.on("run:started", ({ runId, at }) => {
      const open = runs.get(runId);
      if (open !== undefined) open.run = { ...open.run, state: "running", startedAt: at };
    }),
    events.on("job:finished", ({ runId, jobId }) => void runs.get(runId)?.unfinished.delete(jobId)),
    events.on("run:finished", ({ runId }) => void runs.delete(runId)),
  ];
  return {
    list: () => [...runs.values()].map(({ run }) => run),
    has: (runId) => runs.has(runId),
    byJob: () => {
      const found = new Map<string, string>();
      for (const [runId, { unfinished }] of runs) {
        for (const jobId of unfinished) if (!found.has(jobId)) found.set(jobId, runId);
      }
      return found;
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}
