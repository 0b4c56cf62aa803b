/**
 * Waits for a promise until the signal is aborted; what it brings afterwards is dropped. Used where the
 * caller must go on at once although the operation itself cannot be taken back. The promise gets one
 * more turn of the event loop: an operation that was not sent yet says so, and that is worth hearing.
 */
export function interruptible<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<{ readonly kind: "done"; readonly value: T } | { readonly kind: "interrupted" }> {
  return new Promise((resolve, reject) => {
    const onAbort = () => void setImmediate(() => resolve({ kind: "interrupted" }));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise
      .then((value) => resolve({ kind: "done", value }), reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
