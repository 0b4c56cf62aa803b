import type { Logger } from "../base/logger.ts";
import type { RunRequest } from "../model/run.ts";

/**
 * Runs jobs when the process is asked to by a signal (SIGHUP). `subscribe` registers a function to be
 * called for each signal and returns what ends that: the process itself is the daemon's business.
 */
export function createSignalTrigger(options: {
  subscribe: (onSignal: () => void) => () => void;
  /** The jobs to run, in order: all that are enabled. */
  jobs: () => readonly string[];
  submit: (request: RunRequest) => void;
  log: Logger;
}): { start(): void; stop(): void } {
  const { subscribe, submit, log } = options;
  let unsubscribe: (() => void) | undefined;
  const onSignal = () => {
    const jobs = options.jobs();
    if (jobs.length === 0) return log.warn({}, "asked to run by a signal, but no job is enabled");
    log.info({ jobs }, "asked to run by a signal");
    submit({ jobs, cause: { kind: "signal" } });
  };
  return {
    start: () => void (unsubscribe ??= subscribe(onSignal)),
    stop: () => {
      unsubscribe?.();
      unsubscribe = undefined;
    },
  };
}
