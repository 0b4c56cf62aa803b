import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { ProgressOf } from "../lock/lease/lock-status.ts";
import type { DirectorEvents } from "../model/events.ts";
import { millisecondsLeft, type TransferProgress } from "../model/transfer.ts";

interface Shown {
  readonly action: string;
  /** Empty: there is only one. */
  readonly target: string;
  readonly startedAt: number;
  readonly progress: TransferProgress | undefined;
}

/**
 * Keeps how far each job is just now, for those who wait for its locks. Of several targets the one tells that is least
 * far: the job is not over before it is.
 */
export function keepProgress(deps: { events: Emitter<DirectorEvents>; clock: Clock }): {
  progressOf: ProgressOf;
  stop(): void;
} {
  const { events, clock } = deps;
  /** By target. What has ended stays until the next begins. */
  const board = new Map<string, Map<string, Shown>>();
  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;
  const unsubscribe = [
    events.on("action:started", (event) => {
      const { actionId: action, targetId: target, at: startedAt } = event;
      const before = [...(board.get(keyOf(event)) ?? [])].filter(([, shown]) => shown.action === action);
      board.set(keyOf(event), new Map([...before, [target, { action, target, startedAt, progress: undefined }]]));
    }),
    events.on("action:progress", (event) => {
      const lanes = board.get(keyOf(event));
      const shown = lanes?.get(event.targetId);
      if (shown !== undefined) lanes?.set(event.targetId, { ...shown, progress: event.progress });
    }),
    events.on("action:finished", (event) => {
      const lanes = board.get(keyOf(event));
      if (lanes !== undefined && lanes.size > 1) lanes.delete(event.targetId);
    }),
    events.on("job:finished", (event) => void board.delete(keyOf(event))),
  ];
  return {
    progressOf: (of) => {
      const shown = leastFar(board.get(keyOf(of)));
      if (shown === undefined) return undefined;
      const { action, target, startedAt, progress } = shown;
      const now = clock.now();
      const left = progress === undefined ? null : millisecondsLeft(progress);
      return {
        ...{
          job: of.jobId,
          action: target === "" ? action : `${action} to ${target}`,
          started: rfc3339(startedAt),
          at: rfc3339(now),
        },
        ...{ percent: progress?.percent ?? null, bytes: progress?.bytes ?? null },
        rate: progress?.bytesPerSecond ?? null,
        eta: left === null ? null : rfc3339(now + left),
      };
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

function leastFar(lanes: ReadonlyMap<string, Shown> | undefined): Shown | undefined {
  const percentOf = ({ progress }: Shown) => progress?.percent ?? 0;
  return [...(lanes?.values() ?? [])].toSorted((one, other) => percentOf(one) - percentOf(other))[0];
}

function rfc3339(time: number): string {
  return new Date(time).toISOString();
}
