import { sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import {
  listProcesses,
  type ProcessEntry,
  readEnvironment,
  readProcess,
  signalGroup,
  signalProcess,
} from "./process-group.ts";
import { defaultStopGrace, type StopGrace, type StoppableGroup, stopProcessGroup } from "./stop-process.ts";

/** A run of an earlier life of this program. */
export interface DeadRun {
  readonly runId: string;
  /** Process groups it is known to have started, each with the start time of its leader. */
  readonly groups: readonly { readonly id: number; readonly start: number }[];
}

/**
 * Stops what is left of dead runs, each process group as a child of ours would be: a process
 * is ours if the run is in its environment, or if it leads a known group and was started when that
 * group's leader was. Nothing else is ever signalled. Returns the processes that could not be killed.
 */
export async function stopLeftovers(
  runs: readonly DeadRun[],
  options: { clock: Clock; log: Logger; grace?: StopGrace },
): Promise<readonly number[]> {
  const { clock, log, grace = defaultStopGrace } = options;
  if (runs.length === 0) return [];
  const isOurs = recogniser(runs);
  const groups = new Set(
    livingProcesses()
      .filter(isOurs)
      .map(({ groupId }) => groupId),
  );
  const over = new AbortController();
  const stops = [...groups].map((groupId) => {
    const group = groupOf(groupId, { isOurs, clock, signal: over.signal });
    log.warn(
      { group: groupId, pids: group.living() },
      "an earlier life of this director left processes: stopping them",
    );
    return stopProcessGroup(group, { grace, clock, log });
  });
  return (await Promise.all(stops).finally(() => over.abort())).flat();
}

function livingProcesses(): ProcessEntry[] {
  // A director that is started by one of its own jobs carries that job's run itself.
  const own = readProcess(process.pid)?.groupId;
  return listProcesses().filter(({ isZombie, groupId, pid }) => !isZombie && groupId !== own && groupId > 1 && pid > 1);
}

function recogniser(runs: readonly DeadRun[]): (entry: ProcessEntry) => boolean {
  const marks = new Set(runs.map(({ runId }) => `RSYNCDIRECTOR_RUN=${runId}`));
  const leaders = new Set(runs.flatMap(({ groups }) => groups.map(({ id, start }) => `${id} ${start}`)));
  return ({ pid, start }) =>
    leaders.has(`${pid} ${start}`) || (readEnvironment(pid)?.some((text) => marks.has(text)) ?? false);
}

/**
 * The members are looked at anew before every signal: the kernel gives no group id to strangers as long
 * as one of ours is in the group, but it may at any time after that.
 */
function groupOf(
  groupId: number,
  { isOurs, clock, signal }: { isOurs: (entry: ProcessEntry) => boolean; clock: Clock; signal: AbortSignal },
): StoppableGroup {
  const members = () => {
    const here = livingProcesses().filter((entry) => entry.groupId === groupId);
    return here.some(isOurs) ? here : [];
  };
  const leader = () => members().find(({ pid }) => pid === groupId);
  const leaderEnds = async () => {
    while (leader() !== undefined && (await sleep(100, { clock, signal })));
  };
  return {
    leaderIsRunning: () => leader() !== undefined,
    leaderEnded: leaderEnds(),
    living: () => members().map(({ pid }) => pid),
    signalLeader: (signal) => void (leader() !== undefined && signalProcess(groupId, signal)),
    signalGroup: (signal) => void (members().length > 0 && signalGroup(groupId, signal)),
  };
}
