import { formatDuration } from "../../base/duration.ts";
import type { RecentRun } from "../../model/status.ts";
import { html, type Html } from "./html.ts";
import { runHref } from "./parts.ts";
import { countOutcomes, exactTime, outcomeWords } from "./words.ts";

const barWidth = 6;
const gap = 2;
const height = 28;
const lowest = 6;
const slots = 30;

/**
 * The last runs of a job as bars, oldest left: colour and a mark for the outcome, height for the duration (the
 * root of it, so that one long run does not flatten all others). A mouse can follow each bar to its run; keyboard
 * and screen reader get a sentence instead, and the table of runs on the page of the job.
 */
export function runStrip(jobId: string, runs: readonly RecentRun[]): Html {
  if (runs.length === 0) return html`<span class="muted">no runs yet</span>`;
  const shown = runs.slice(-slots);
  const longest = Math.max(...shown.map(({ durationMs }) => durationMs), 1);
  const first = slots - shown.length;
  const width = slots * (barWidth + gap) - gap;
  return html`<svg class="bars" viewBox="0 0 ${width} ${height}" aria-hidden="true">
      ${shown.map((run, index) => bar(run, (first + index) * (barWidth + gap), longest))}
    </svg>
    <span class="hidden">${describeStrip(jobId, shown)}</span>`;
}

function bar({ runId, outcome, startedAt, durationMs }: RecentRun, x: number, longest: number): Html {
  const size = lowest + Math.round((height - lowest) * Math.sqrt(Math.max(0, durationMs) / longest));
  const { tone, word } = outcomeWords(outcome);
  const y = height - size;
  // A notch tells a bad run from a good one without its colour.
  const notch = tone !== "good" && html`<path class="notch" d="M${x} ${height - 3}h${barWidth}" />`;
  return html`<a href="${runHref(runId)}" tabindex="-1"
    ><rect class="${tone}" x="${x}" y="${y}" width="${barWidth}" height="${size}" /><title>
      ${exactTime(startedAt)}: ${word}, ${formatDuration(durationMs)}</title
    >${notch}</a
  >`;
}

function describeStrip(jobId: string, runs: readonly RecentRun[]): string {
  const last = runs.at(-1);
  const outcomes = countOutcomes(runs.map(({ outcome }) => outcome));
  return `Last ${runs.length} runs of ${jobId}: ${outcomes}. The latest: ${last === undefined ? "" : outcomeWords(last.outcome).word}.`;
}
