import { mayBeSame, type StartTime } from "../../process/process-group.ts";

/** What the kernel says about processes. */
export interface ProcessTable {
  startTimeOf(pid: number): StartTime;
}

/**
 * Tells, whenever it is called, which of these processes are still there. A process id that was given to
 * somebody else meanwhile does not count; undefined: none is left.
 */
export function watchSurvivors(pids: readonly number[], processes: ProcessTable): () => string | undefined {
  const known = pids.map((pid) => ({ pid, start: processes.startTimeOf(pid) }));
  return () => {
    const alive = known.filter(({ pid, start }) => mayBeSame(start, processes.startTimeOf(pid)));
    if (alive.length === 0) return undefined;
    return `processes ${alive.map(({ pid }) => pid).join(", ")} cannot be killed and may still write`;
  };
}
