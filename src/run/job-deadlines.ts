import { AbortReason } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { formatDuration } from "../base/duration.ts";
import type { Job } from "../config/resolved.ts";

/**
 * Arms a job's `timeout` (which stops it) and `warn_after` (which only tells). The returned function
 * disarms both.
 */
export function armJobDeadlines(
  job: Job,
  options: { controller: AbortController; clock: Clock; onSlow: (runningMs: number) => void },
): () => void {
  const { controller, clock, onSlow } = options;
  const cancels: (() => void)[] = [];
  const { timeoutMs, warnAfterMs } = job;
  if (timeoutMs !== undefined) {
    const reason = new AbortReason(
      "timed-out",
      `the job did not end within its timeout of ${formatDuration(timeoutMs)}`,
    );
    cancels.push(clock.setTimer(timeoutMs, () => controller.abort(reason)));
  }
  if (warnAfterMs !== undefined) cancels.push(clock.setTimer(warnAfterMs, () => onSlow(warnAfterMs)));
  return () => cancels.forEach((cancel) => cancel());
}
