import type { LockPlace, RunCause } from "./run.ts";

/** Where a lock file lies, as people write it: PATH on this host, HOST:PATH elsewhere; empty for null. */
export function formatPlace(place: LockPlace | null): string {
  if (place === null) return "";
  return place.host === null ? place.path : `${place.host}:${place.path}`;
}

/** Who asked for a run, for people. */
export function describeCause(cause: RunCause): string {
  switch (cause.kind) {
    case "schedule":
      return cause.missed ? `schedule ${cause.schedule} (missed)` : `schedule ${cause.schedule}`;
    case "signal":
      return "signal";
    case "request":
      return cause.by;
    case "watch":
      return `change of ${cause.path}`;
  }
}
