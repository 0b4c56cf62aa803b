import type { RunCause } from "../model/run.ts";

/** Who asked for a run, for the change log: its kind first. */
export function describeTrigger(cause: RunCause | undefined): string {
  switch (cause?.kind) {
    case undefined:
      return "unknown";
    case "schedule":
      return `cron: ${cause.schedule}${cause.missed ? " (missed)" : ""}`;
    case "signal":
      return "signal";
    case "request":
      return `request: ${cause.by}`;
    case "watch":
      return `watch: ${cause.path}`;
  }
}
