import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import { formatPlace } from "./output.ts";

/** Says something of a job, at the time of the event where it has one. `tone` is how it is coloured. */
export type SayLine = (event: { jobId: string; at?: number }, text: string, tone?: "good" | "warn" | "bad") => void;

/** One line for what becomes of a job's locks, for the view of a run. Returns what ends it. */
export function showLocks(events: Emitter<DirectorEvents>, line: SayLine): (() => void)[] {
  const waits = new Map<string, string>();
  return [
    events.on("job:blocked", (event) => {
      const text = describeBlock(event);
      // It is told at every look; people want to hear of it again when something has changed.
      if (waits.get(event.jobId) !== text) line(event, text, "warn");
      waits.set(event.jobId, text);
    }),
    events.on("job:unblocked", (event) => {
      waits.delete(event.jobId);
      if (event.outcome === "free" && event.waitedMs > 0) line(event, `free after ${formatDuration(event.waitedMs)}`);
    }),
    events.on("job:fencing", (event) => {
      const { fencing, reason } = event;
      if (fencing === "unfenced") line(event, `unfenced: only its lock files keep other writers away (${reason})`);
    }),
    events.on("lock:acquired", (event) => line(event, `holds ${formatPlace(event.place)}`)),
    events.on("lock:withdrawn", (event) => line(event, `gave ${formatPlace(event.place)} back: ${event.because}`)),
    events.on("lock:foreign", (event) =>
      line(event, `${formatPlace(event.place)} is the lock of another program: ${event.owner.slice(0, 80)}`, "warn"),
    ),
    events.on("lock:broken", (event) =>
      line(event, `broke the stale lock ${formatPlace(event.place)}, ${event.owner}: ${event.because}`, "warn"),
    ),
    events.on("lock:spared", (event) =>
      line(event, `${formatPlace(event.place)} looks stale and is not broken: ${event.detail}`, "warn"),
    ),
    events.on("lock:suspect", (event) =>
      line(event, `cannot confirm ${formatPlace(event.place)}: ${event.detail}`, "warn"),
    ),
    events.on("lock:confirmed", (event) =>
      line(event, `confirmed ${formatPlace(event.place)} again after ${formatDuration(event.ageMs)}`),
    ),
    events.on("lock:lost", (event) => line(event, `LOST ${formatPlace(event.place)}: ${event.detail}`, "bad")),
    events.on("lock:stuck", (event) =>
      line(event, `could not free ${formatPlace(event.place)}: ${event.detail}`, "bad"),
    ),
  ];
}

function describeBlock({ place, state, owner, detail }: DirectorEvents["job:blocked"]): string {
  if (state === "unknown") return `waits: ${formatPlace(place)} ${detail}`;
  return `waits for ${formatPlace(place)}: ${detail === "" ? `held by process ${owner ?? "unknown"}` : detail}`;
}
