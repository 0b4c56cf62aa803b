import { formatDuration } from "../../base/duration.ts";
import type { OutcomeKind } from "../../model/run.ts";
import type { Freshness, JobStatus } from "../../model/status.ts";
import type { RecordedOutcome } from "../../store/run-history.ts";
import { html, type Html } from "./html.ts";

/** How something is, for colour and icon; a word always stands beside them. */
export type Tone = "good" | "warn" | "bad" | "busy" | "calm";

/** `2026-11-20 10:48:03` in the host's zone. Not by Intl: a page has a thousand times, and that takes a tenth of a second. */
export function exactTime(at: number): string {
  const time = new Date(at);
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** `10:48` of the same day, else `2026-11-20 10:48`. */
export function shortTime(at: number, now: number): string {
  const text = exactTime(at).slice(0, 16);
  return text.slice(0, 10) === exactTime(now).slice(0, 10) ? text.slice(11) : text;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** One or two units, none smaller than a second: `26h`, `3d 2h`, `4m`. */
export function roughDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1000) return "less than 1s";
  const unit = ms < 60_000 ? 1000 : ms < 36 * 3_600_000 ? 60_000 : 3_600_000;
  // Copies are judged by the hour: "26h" is compared with a schedule more easily than "1d 2h".
  if (ms >= 10 * 3_600_000 && ms < 48 * 3_600_000) return `${Math.floor(ms / 3_600_000)}h`;
  if (ms >= 7 * 86_400_000) return `${Math.floor(ms / 86_400_000)}d`;
  return formatDuration(Math.floor(ms / unit) * unit);
}

/** `4m ago`, `in 3h 20m`, with the exact time for those who point at it and for programs. */
export function timeElement(at: number, now: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}" title="${exactTime(at)}">${relative(at, now)}</time>`;
}

export function relative(at: number, now: number): string {
  const distance = at - now;
  if (Math.abs(distance) < 1000) return "now";
  return distance > 0 ? `in ${roughDuration(distance)}` : `${roughDuration(-distance)} ago`;
}

export function freshnessWords(freshness: Freshness): { word: string; tone: Tone } {
  switch (freshness) {
    case "fresh":
      return { word: "Fresh", tone: "good" };
    case "stale":
      return { word: "Stale", tone: "bad" };
    case "never":
      return { word: "Never copied", tone: "bad" };
    case "unknown":
      return { word: "Unknown", tone: "warn" };
    case "unmeasured":
      return { word: "Not measured", tone: "calm" };
  }
}

export function outcomeWords(outcome: RecordedOutcome): { word: string; tone: Tone } {
  switch (outcome) {
    case "ok":
      return { word: "ok", tone: "good" };
    case "warning":
      return { word: "warning", tone: "warn" };
    case "skipped":
      return { word: "skipped", tone: "warn" };
    case "cancelled":
      return { word: "cancelled", tone: "warn" };
    case "failed":
      return { word: "failed", tone: "bad" };
    case "running":
      return { word: "running", tone: "busy" };
  }
}

export function activityWord(activity: JobStatus["activity"]): string {
  switch (activity) {
    case "idle":
      return "idle";
    case "queued":
      return "queued";
    case "waiting":
      return "waiting for a lock";
    case "running":
      return "running";
  }
}

/** `28 ok, 1 warning and 1 failed`, worst last; empty for none. */
export function countOutcomes(outcomes: readonly OutcomeKind[]): string {
  const kinds: readonly OutcomeKind[] = ["ok", "warning", "skipped", "cancelled", "failed"];
  const parts = kinds.flatMap((kind) => {
    const count = outcomes.filter((outcome) => outcome === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return joinWords(parts);
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
