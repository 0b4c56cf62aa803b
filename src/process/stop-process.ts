import { sleep } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { settlesWithin } from "./settles-within.ts";

/** How long each step of a stop may take, in milliseconds. */
export interface StopGrace {
  /** From SIGTERM to the leader until SIGTERM to its whole group. */
  readonly leaderMs: number;
  /** From SIGTERM to the group until SIGKILL to the group. */
  readonly groupMs: number;
}

export const defaultStopGrace: StopGrace = { leaderMs: 20_000, groupMs: 5000 };

/** A child that leads a process group, reduced to what stopping it needs. */
export interface StoppableGroup {
  leaderIsRunning(): boolean;
  /** Settles when the leader has ended. */
  readonly leaderEnded: Promise<unknown>;
  /** Ids of the group's processes that are no zombies. */
  living(): readonly number[];
  signalLeader(signal: NodeJS.Signals): void;
  signalGroup(signal: NodeJS.Signals): void;
}

/** What the leader left running gets this long to follow it before it is signalled itself. */
const settleMs = 2000;
/** SIGKILL takes effect at once unless a process waits for a device that does not answer. */
const verifyMs = 5000;
const firstLookMs = 5;
const longestLookMs = 200;

/**
 * Ends a child and everything it started: TERM to the leader, TERM to the group, KILL to the group,
 * and a look at what is left. rsync tidies up and reports code 20 only when its leader alone is
 * asked; a KILL of the leader alone leaves a pull's receiver and ssh writing on.
 * Returns the processes that even SIGKILL could not end: they may still write.
 */
export async function stopProcessGroup(
  group: StoppableGroup,
  options: { grace: StopGrace; hurry?: AbortSignal | undefined; clock: Clock; log: Logger },
): Promise<readonly number[]> {
  const { grace, hurry, clock, log } = options;
  if (group.leaderIsRunning()) {
    group.signalLeader("SIGTERM");
    await settlesWithin(group.leaderEnded, grace.leaderMs, { clock, signal: hurry });
  }
  // A leader that has not ended used up its grace; one that has may be followed by its children.
  const settle = group.leaderIsRunning() ? 0 : Math.min(settleMs, grace.leaderMs);
  if ((await waitUntilGone(group, settle, clock, hurry)).length === 0) return [];
  log.warn({ pids: group.living() }, "child did not end when asked; asking its whole group");
  group.signalGroup("SIGTERM");
  if ((await waitUntilGone(group, grace.groupMs, clock, hurry)).length === 0) return [];
  log.warn({ pids: group.living() }, "child did not end when asked; killing its group");
  group.signalGroup("SIGKILL");
  const survivors = await waitUntilGone(group, verifyMs, clock);
  if (survivors.length > 0) log.error({ pids: survivors }, "processes cannot be killed and may still write");
  return survivors;
}

/** Waits until no process of the group lives, at most `limitMs`; returns those that still do. */
export async function waitUntilGone(
  group: Pick<StoppableGroup, "living">,
  limitMs: number,
  clock: Clock,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly number[]> {
  let waited = 0;
  let step = firstLookMs;
  for (;;) {
    const living = group.living();
    if (living.length === 0 || waited >= limitMs || signal.aborted) return living;
    const pause = Math.min(step, limitMs - waited);
    await sleep(pause, { signal, clock });
    waited += pause;
    step = Math.min(step * 2, longestLookMs);
  }
}
