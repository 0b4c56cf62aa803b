import { formatPlace } from "../../model/describe.ts";
import type { LockPlace } from "../../model/run.ts";
import type { Freshness } from "../../model/status.ts";
import type { RecordedOutcome } from "../../store/run-history.ts";
import { html, urlPart, type Html, type HtmlValue } from "./html.ts";
import { freshnessWords, outcomeWords, type Tone } from "./words.ts";

/** Small pieces that many pages are made of. */

/** A word with its icon; `tone` gives both their colour. */
export function badge(tone: Tone, word: string): Html {
  return html`<span class="badge ${tone}">${icon(tone)}${word}</span>`;
}

export function freshnessBadge(freshness: Freshness): Html {
  const { tone, word } = freshnessWords(freshness);
  return badge(tone, word);
}

export function outcomeBadge(outcome: RecordedOutcome): Html {
  const { tone, word } = outcomeWords(outcome);
  return badge(tone, word);
}

/** The word stands beside it, so that it says nothing to a screen reader. */
export function icon(tone: Tone): Html {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-${tone}" /></svg>`;
}

/** The shapes differ, not only their colours. */
export const iconSprite: Html = html`<svg class="sprite" width="0" height="0" aria-hidden="true">
  <symbol id="i-good" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" fill="currentColor" />
    <path class="cut" d="M4.6 8.4l2.3 2.3 4.6-5" />
  </symbol>
  <symbol id="i-warn" viewBox="0 0 16 16">
    <path d="M8 1.2 15.4 14.4H.6z" fill="currentColor" />
    <path class="cut" d="M8 6v4M8 12v.4" />
  </symbol>
  <symbol id="i-bad" viewBox="0 0 16 16">
    <path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z" fill="currentColor" />
    <path class="cut" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" />
  </symbol>
  <symbol id="i-busy" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" fill="currentColor" />
    <path class="cut" d="M8 3.6V8l3 2" />
  </symbol>
  <symbol id="i-calm" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" />
    <path d="M5 8h6" stroke="currentColor" stroke-width="2" />
  </symbol>
</svg>`;

export function jobHref(jobId: string): string {
  return `/jobs/${urlPart(jobId)}`;
}

export function runHref(runId: string): string {
  return `/runs/${urlPart(runId)}`;
}

export function jobLink(jobId: string): Html {
  return html`<a href="${jobHref(jobId)}">${jobId}</a>`;
}

export function jobLinks(jobIds: readonly string[]): Html {
  return html`${jobIds.map((jobId, index) => [index === 0 ? "" : ", ", jobLink(jobId)])}`;
}

export function placeText(place: LockPlace): Html {
  return html`<code>${formatPlace(place)}</code>`;
}

export interface Column {
  readonly title: string;
  readonly kind?: "number" | "text";
}

/**
 * A table that stacks its cells on a narrow screen. The roles are written out because a browser drops those of
 * table elements that are not laid out as a table.
 */
export function table(caption: string, columns: readonly Column[], rows: readonly (readonly HtmlValue[])[]): Html {
  const cell = (value: HtmlValue, index: number) => {
    const column = columns[index];
    const kind = column?.kind === "number" ? "number" : "text";
    const content = html`<span class="label" aria-hidden="true">${column?.title}</span><span>${value}</span>`;
    return index === 0
      ? html`<th scope="row" role="rowheader" class="${kind}">${content}</th>`
      : html`<td role="cell" class="${kind}">${content}</td>`;
  };
  return html`<table role="table">
    <caption>
      <span class="hidden">${caption}</span>
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(
          ({ title, kind = "text" }) => html`<th scope="col" role="columnheader" class="${kind}">${title}</th>`,
        )}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row">
            ${row.map(cell)}
          </tr> `,
      )}
    </tbody>
  </table>`;
}

/** Pairs of a word and what it means here; those without a value are left out. */
export function facts(pairs: readonly (readonly [string, HtmlValue])[]): Html {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "");
  return html`<dl class="facts">
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** What the browser sends when somebody presses it. Without JavaScript it is not shown. */
export interface Command {
  readonly label: string;
  /** For screen readers, where the label alone would not say of what. */
  readonly of: string;
  readonly url: string;
  readonly body: unknown;
  /** Asked before; undefined: nothing is asked. */
  readonly confirm?: string;
  /** Asks for how long, and why, and adds `seconds` and `reason`. */
  readonly asksPause?: boolean;
  /** The page that shows what came of it, with `RUN` for the run's id. */
  readonly then?: string;
}

export function commandButton({ label, of, url, body, confirm, asksPause, then }: Command): Html {
  return html`<button
    type="button"
    class="command"
    data-post="${url}"
    data-body="${JSON.stringify(body)}"
    ${confirm !== undefined && html`data-confirm="${confirm}"`}
    ${asksPause === true && html`data-pause="${of}"`}
    ${then !== undefined && html`data-then="${then}"`}
  >
    ${label}<span class="hidden"> ${of}</span>
  </button>`;
}
