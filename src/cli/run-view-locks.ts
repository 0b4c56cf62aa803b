import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { LockPlace } from "../model/run.ts";

/** One line for what becomes of a job's locks, for the view of a run. Returns what ends it. */
export function showLocks(
  events: Emitter<DirectorEvents>,
  line: (jobId: string, text: string) => void,
): (() => void)[] {
  return [
    events.on("job:blocked", (event) => line(event.jobId, describeBlock(event))),
    events.on("job:unblocked", ({ jobId, waitedMs, outcome }) => {
      if (outcome === "free" && waitedMs > 0) line(jobId, `free after ${formatDuration(waitedMs)}`);
    }),
    events.on("job:fencing", ({ jobId, fencing, reason }) => {
      if (fencing === "unfenced") line(jobId, `unfenced: only its lock files keep other writers away (${reason})`);
    }),
    events.on("lock:acquired", ({ jobId, place }) => line(jobId, `holds ${describePlace(place)}`)),
    events.on("lock:withdrawn", ({ jobId, place, because }) =>
      line(jobId, `gave ${describePlace(place)} back: ${because}`),
    ),
    events.on("lock:foreign", ({ jobId, place, owner }) =>
      line(jobId, `${describePlace(place)} is the lock of another program: ${owner.slice(0, 80)}`),
    ),
    events.on("lock:broken", ({ jobId, place, owner, because }) =>
      line(jobId, `broke the stale lock ${describePlace(place)}, ${owner}: ${because}`),
    ),
    events.on("lock:spared", ({ jobId, place, detail }) =>
      line(jobId, `${describePlace(place)} looks stale and is not broken: ${detail}`),
    ),
    events.on("lock:suspect", ({ jobId, place, detail }) =>
      line(jobId, `cannot confirm ${describePlace(place)}: ${detail}`),
    ),
    events.on("lock:confirmed", ({ jobId, place, ageMs }) =>
      line(jobId, `confirmed ${describePlace(place)} again after ${formatDuration(ageMs)}`),
    ),
    events.on("lock:lost", ({ jobId, place, detail }) => line(jobId, `LOST ${describePlace(place)}: ${detail}`)),
    events.on("lock:stuck", ({ jobId, place, detail }) =>
      line(jobId, `could not free ${describePlace(place)}: ${detail}`),
    ),
  ];
}

function describeBlock({ place, state, owner, detail }: DirectorEvents["job:blocked"]): string {
  if (state === "unknown") return `waits: ${describePlace(place)} ${detail}`;
  return `waits for ${describePlace(place)}: ${detail === "" ? `held by process ${owner ?? "unknown"}` : detail}`;
}

function describePlace(place: LockPlace): string {
  return place.host === null ? place.path : `${place.host}:${place.path}`;
}
