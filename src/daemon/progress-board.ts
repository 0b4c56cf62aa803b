import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { ProgressOf } from "../lock/lease/lock-status.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { TransferProgress } from "../model/transfer.ts";

interface Shown {
  readonly action: string;
  readonly startedAt: number;
  readonly progress: TransferProgress | undefined;
}

/** Keeps how far each job is just now, for those who wait for its locks. */
export function keepProgress(deps: { events: Emitter<DirectorEvents>; clock: Clock }): {
  progressOf: ProgressOf;
  stop(): void;
} {
  const { events, clock } = deps;
  const board = new Map<string, Shown>();
  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;
  const unsubscribe = [
    events.on("action:started", (event) => {
      board.set(keyOf(event), { action: event.actionId, startedAt: event.at, progress: undefined });
    }),
    events.on("action:progress", (event) => {
      const shown = board.get(keyOf(event));
      if (shown !== undefined) board.set(keyOf(event), { ...shown, progress: event.progress });
    }),
    events.on("job:finished", (event) => void board.delete(keyOf(event))),
  ];
  return {
    progressOf: (of) => {
      const shown = board.get(keyOf(of));
      if (shown === undefined) return undefined;
      const { action, startedAt, progress } = shown;
      const now = clock.now();
      const left = progress === undefined ? undefined : millisecondsLeft(progress);
      return {
        ...{ job: of.jobId, action, started: rfc3339(startedAt), at: rfc3339(now) },
        ...{ percent: progress?.percent ?? null, bytes: progress?.bytes ?? null },
        rate: progress?.bytesPerSecond ?? null,
        eta: left === undefined ? null : rfc3339(now + left),
      };
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

/** At the present rate; rsync's own estimate is not in the line that is read. */
function millisecondsLeft({ bytes, percent, bytesPerSecond }: TransferProgress): number | undefined {
  if (percent < 1 || percent > 100 || bytesPerSecond <= 0) return undefined;
  return ((bytes * (100 - percent)) / percent / bytesPerSecond) * 1000;
}

function rfc3339(time: number): string {
  return new Date(time).toISOString();
}
