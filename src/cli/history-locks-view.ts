import { formatDuration } from "../base/duration.ts";
import type { LockEventRecord } from "../store/lock-events.ts";
import { formatJson, formatPlace, formatTable, formatTime, printable } from "./output.ts";

/** All lines of several runs; each names its job and the beginning of its run. */
export function formatLockEvents(events: readonly LockEventRecord[]): string {
  const rows = events.map((event) => [
    formatTime(event.at),
    event.jobId ?? "",
    event.runId ?? "",
    event.kind,
    formatPlace(event.place),
    describe(event),
  ]);
  return printable(formatTable(["TIME", "JOB", "RUN", "WHAT", "LOCK", ""], rows));
}

/** The section of one run. */
export function formatLocksOfRun(events: readonly LockEventRecord[]): string {
  const severalJobs = new Set(events.map(({ jobId }) => jobId)).size > 1;
  const rows = events.map((event) => [
    `  ${formatTime(event.at)}`,
    ...(severalJobs ? [event.jobId ?? ""] : []),
    event.kind,
    formatPlace(event.place),
    describe(event),
  ]);
  const noTitles = (rows[0] ?? []).map(() => "");
  return `Locks${formatTable(noTitles, rows).trimEnd()}`;
}

export function lockEventsAsJson(events: readonly LockEventRecord[]): string {
  return formatJson(events);
}

/** What the line says besides its name: whose lock, how old, why. */
function describe({ kind, owner, ageMs, detail, token }: LockEventRecord): string {
  const age = ageMs === null || ageMs < 0 ? "" : formatDuration(ageMs);
  const parts = [owner ?? "", age === "" ? "" : ageWords(kind, age), detail ?? ""];
  if (token !== null && kind === "acquired") parts.push(`token ${token}`);
  return parts.filter(Boolean).join("; ");
}

function ageWords(kind: LockEventRecord["kind"], age: string): string {
  switch (kind) {
    case "waited":
      return `after ${age}`;
    case "suspect":
    case "lost":
      return `last confirmed ${age} ago`;
    case "confirmed":
      return `it was in doubt for ${age}`;
    case "foreign":
      return `${age} old`;
    default:
      return `silent for ${age}`;
  }
}
