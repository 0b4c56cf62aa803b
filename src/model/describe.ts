import type { LockPlace, RunCause } from "./run.ts";
import type { ClockDoubt, JobStatus, LockLimit } from "./status.ts";

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

/** What the locks of a job cannot do, one sentence each, with the reason; empty where they do everything. */
export function describeLockLimits({ fencing, lockLimits }: Pick<JobStatus, "fencing" | "lockLimits">): string[] {
  const because = typeof fencing?.reason === "string" ? ` (${fencing.reason})` : "";
  const unfenced = `unfenced: only its lock files keep other writers away${because}`;
  return [...(fencing?.state === "unfenced" ? [unfenced] : []), ...lockLimits.map(describeLimit)];
}

function describeLimit({ host, mode, detail }: LockLimit): string {
  const where = host === null ? "here" : `on ${host}`;
  if (mode === "refused") return `locks ${where} are refused: ${detail}`;
  return `locks ${where} go over sftp only, where a stale one stays until a person removes it (${detail})`;
}

/** Since when the clock is doubted, what stays because of it, and what to do. `time` writes a time for people. */
export function describeClockDoubt({ since, lastSeenAt, until }: ClockDoubt, time: (at: number) => string): string {
  const seen = lastSeenAt === null ? "nobody knows when it was last seen" : `last seen at ${time(lastSeenAt)}`;
  const kept = "no more previous copies, runs of the history or notes of the schedules are deleted for their age";
  const remedy = `If it is wrong, put it right (timedatectl); if it goes on, it is believed from ${time(until)} on.`;
  return `Clock in doubt since ${time(since)}, ${seen}: ${kept}. ${remedy}`;
}
