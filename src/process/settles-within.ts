import type { Clock } from "../base/clock.ts";

/**
 * Whether a promise resolves within `ms`; `false` also as soon as `signal` is aborted. Leaves neither
 * timer nor listener behind. The promise must not reject.
 */
export function settlesWithin(
  promise: Promise<unknown>,
  ms: number,
  { clock, signal }: { clock: Clock; signal?: AbortSignal | undefined },
): Promise<boolean> {
  if (signal?.aborted === true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const finish = (inTime: boolean) => {
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
      resolve(inTime);
    };
    const onAbort = () => finish(false);
    const cancelTimer = clock.setTimer(ms, onAbort);
    signal?.addEventListener("abort", onAbort, { once: true });
    void promise.then(() => finish(true));
  });
}
