import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import { formatPlace } from "./output.ts";

/** One line for what becomes of a job's locks, for the view of a run. Returns what ends it. */
export function showLocks(
  events: Emitter<DirectorEvents>,
  line: (jobId: string, text: string) => void,
): (() => void)[] {
  const waits = new Map<string, string>();
  return [
    events.on("job:blocked", (event) => {
      const text = describeBlock(event);
      // It is told at every look; people want to hear of it again when something has changed.
      if (waits.get(event.jobId) !== text) line(event.jobId, text);
      waits.set(event.jobId, text);
    }),
    events.on("job:unblocked", ({ jobId, waitedMs, outcome }) => {
      waits.delete(jobId);
      if (outcome === "free" && waitedMs > 0) line(jobId, `free after ${formatDuration(waitedMs)}`);
    }),
    events.on("job:fencing", ({ jobId, fencing, reason }) => {
      if (fencing === "unfenced") line(jobId, `unfenced: only its lock files keep other writers away (${reason})`);
    }),
    events.on("lock:acquired", ({ jobId, place }) => line(jobId, `holds ${formatPlace(place)}`)),
    events.on("lock:withdrawn", ({ jobId, place, because }) =>
      line(jobId, `gave ${formatPlace(place)} back: ${because}`),
    ),
    events.on("lock:foreign", ({ jobId, place, owner }) =>
      line(jobId, `${formatPlace(place)} is the lock of another program: ${owner.slice(0, 80)}`),
    ),
    events.on("lock:broken", ({ jobId, place, owner, because }) =>
      line(jobId, `broke the stale lock ${formatPlace(place)}, ${owner}: ${because}`),
    ),
    events.on("lock:spared", ({ jobId, place, detail }) =>
      line(jobId, `${formatPlace(place)} looks stale and is not broken: ${detail}`),
    ),
    events.on("lock:suspect", ({ jobId, place, detail }) =>
      line(jobId, `cannot confirm ${formatPlace(place)}: ${detail}`),
    ),
    events.on("lock:confirmed", ({ jobId, place, ageMs }) =>
      line(jobId, `confirmed ${formatPlace(place)} again after ${formatDuration(ageMs)}`),
    ),
    events.on("lock:lost", ({ jobId, place, detail }) => line(jobId, `LOST ${formatPlace(place)}: ${detail}`)),
    events.on("lock:stuck", ({ jobId, place, detail }) =>
      line(jobId, `could not free ${formatPlace(place)}: ${detail}`),
    ),
  ];
}

function describeBlock({ place, state, owner, detail }: DirectorEvents["job:blocked"]): string {
  if (state === "unknown") return `waits: ${formatPlace(place)} ${detail}`;
  return `waits for ${formatPlace(place)}: ${detail === "" ? `held by process ${owner ?? "unknown"}` : detail}`;
}
