import { html, type Html, type HtmlValue } from "./html.ts";
import { place, timeTicks, type Axis } from "./scale.ts";
import { exactTime, type Tone } from "./words.ts";

export interface ChartPoint {
  readonly at: number;
  readonly value: number;
  readonly tone: Tone;
  /** `ok`, `failed` … */
  readonly outcome: string;
}

export interface ChartOptions {
  readonly title: string;
  readonly points: readonly ChartPoint[];
  readonly axis: Axis;
  readonly format: (value: number) => string;
}

const width = 420;
const height = 180;
const inner = { left: 58, right: 8, top: 12, bottom: 26 };
const plotWidth = width - inner.left - inner.right;
const plotHeight = height - inner.top - inner.bottom;
const dayOf = (at: number) => exactTime(at).slice(5, 10);
const clockOf = (at: number) => exactTime(at).slice(11, 16);

/**
 * Values over time as a line with a mark for each run: a disc for one that went well, a square for one that did
 * not. It is an image with a name; the same figures stand in the table of runs.
 */
export function timeChart({ title, points, axis, format }: ChartOptions): Html {
  const from = points[0]?.at ?? 0;
  const to = points.at(-1)?.at ?? 0;
  const x = (at: number) => round(inner.left + place(at, from, to, plotWidth));
  const y = (value: number) => round(inner.top + plotHeight - place(value, 0, axis.max, plotHeight));
  const path = points.map(({ at, value }, index) => `${index === 0 ? "M" : "L"}${x(at)} ${y(value)}`).join("");
  const base = inner.top + plotHeight;
  const area = points.length > 1 && html`<path class="area" d="${path}L${x(to)} ${base}L${x(from)} ${base}Z" />`;
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${describeChart({ title, points, axis, format })}">
      ${axis.ticks.map((tick) => yTick(y(tick), format(tick)))} ${xTicks(from, to, x)} ${area}
      <path class="line" d="${path}" />
      ${points.map((point) => mark(point, x(point.at), y(point.value), format))}
    </svg>
  </figure>`;
}

function yTick(y: number, label: string): Html {
  return html`<path class="grid" d="M${inner.left} ${y}h${plotWidth}" /><text
      x="${inner.left - 6}"
      y="${y + 4}"
      text-anchor="end"
      >${label}</text
    >`;
}

/** Days where the runs span more than one, else times of day. */
function xTicks(from: number, to: number, x: (at: number) => number): HtmlValue {
  const label = to - from > 36 * 3_600_000 ? dayOf : clockOf;
  const ticks = timeTicks(from, to, 4);
  return ticks.map((at, index) => {
    const anchor =
      ticks.length === 1 ? "middle" : index === 0 ? "start" : index === ticks.length - 1 ? "end" : "middle";
    return html`<text x="${x(at)}" y="${height - 8}" text-anchor="${anchor}">${label(at)}</text>`;
  });
}

function mark({ at, value, tone, outcome }: ChartPoint, x: number, y: number, format: (v: number) => string): Html {
  const shape =
    tone === "good"
      ? html`<circle class="good" cx="${x}" cy="${y}" r="3" />`
      : html`<rect class="${tone}" x="${round(x - 4)}" y="${round(y - 4)}" width="8" height="8" />`;
  return html`<g>${shape}<title>${exactTime(at)}: ${format(value)}, ${outcome}</title></g>`;
}

function describeChart({ title, points, format }: ChartOptions): string {
  const values = points.map(({ value }) => value);
  const last = points.at(-1);
  if (last === undefined) return `${title}: no runs`;
  const range = `from ${format(Math.min(...values))} to ${format(Math.max(...values))}`;
  return `${title} of the last ${points.length} runs: ${range}, the latest ${format(last.value)}`;
}

/** A tenth of a unit is finer than a screen; more digits would only be sent. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
