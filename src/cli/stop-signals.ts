/** Aborts at the first of the signals that end a program, until it is closed. */
export function abortOnSignals(names: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"]): {
  readonly signal: AbortSignal;
  close(): void;
} {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}
