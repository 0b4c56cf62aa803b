import type { Clock } from "./clock.ts";

/** Why work was stopped. The first reason given to a signal wins and stays its reason. */
export type AbortKind = "shutdown" | "cancelled" | "replaced" | "timed-out" | "stalled" | "lock-lost";

/** The only thing this program passes to `AbortController.abort()`. */
export class AbortReason extends Error {
  override readonly name = "AbortReason";
  readonly kind: AbortKind;

  constructor(kind: AbortKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The reason of an aborted signal; a foreign reason (a bare `abort()`) reads as cancelled. */
export function abortReasonOf(signal: AbortSignal): AbortReason {
  const reason: unknown = signal.reason;
  if (reason instanceof AbortReason) return reason;
  return new AbortReason("cancelled", "cancelled");
}

/**
 * Waits `ms` milliseconds. Resolves to `true` when the time has passed and to `false` as soon as the
 * signal is aborted: a stopped wait is an expected result, so it does not throw.
 */
export function sleep(ms: number, options: { signal: AbortSignal; clock: Clock }): Promise<boolean> {
  const { signal, clock } = options;
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      cancelTimer();
      resolve(false);
    };
    const cancelTimer = clock.setTimer(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * A controller that is aborted when its parent is, and that can be aborted alone.
 * Call `dispose` when the work has ended: a parent that lives long must not collect listeners.
 */
export function childController(parent: AbortSignal): AbortController & { dispose(): void } {
  const controller = new AbortController();
  const onAbort = () => controller.abort(parent.reason);
  if (parent.aborted) onAbort();
  else parent.addEventListener("abort", onAbort, { once: true });
  return Object.assign(controller, { dispose: () => parent.removeEventListener("abort", onAbort) });
}
