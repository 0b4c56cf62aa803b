import { formatBytes } from "../../base/size.ts";
import type { RecordedChange } from "../../model/tracked-change.ts";
import { diffView } from "./diff-view.ts";
import { html, urlPart, type Html, type HtmlValue } from "./html.ts";
import { facts, jobLink, runHref, table } from "./parts.ts";
import { exactTime } from "./words.ts";

export interface ChangesFilter {
  /** Empty: of every job. */
  readonly job: string;
  /** Empty: of every file. */
  readonly path: string;
  readonly run: string;
  readonly limit: number;
}

/** What tracked syncs changed, newest first; `changes` undefined: there is no ledger that could say. */
export function changesPage(
  changes: readonly RecordedChange[] | undefined,
  { filter, jobs }: { filter: ChangesFilter; jobs: readonly string[] },
): Html {
  return html`<section aria-labelledby="changes">
    <header class="title"><h1 id="changes">Changes</h1></header>
    ${filterForm(filter, jobs)} ${listOf(changes, filter)}
  </section>`;
}

function filterForm({ job, path, run }: ChangesFilter, jobs: readonly string[]): Html {
  const option = (value: string, label: string) =>
    html`<option value="${value}" ${value === job && html`selected`}>${label}</option>`;
  return html`<form class="search" method="get" action="/changes" role="search">
    <label for="job">Job</label>
    <select id="job" name="job">
      ${option("", "every job")}${jobs.map((jobId) => option(jobId, jobId))}
    </select>
    <label for="path">File or directory</label>
    <input id="path" name="path" type="text" value="${path}" autocomplete="off" />
    ${run !== "" && html`<input type="hidden" name="run" value="${run}" />`}
    <button type="submit">Show</button>
  </form>`;
}

function listOf(changes: readonly RecordedChange[] | undefined, { run, limit }: ChangesFilter): Html {
  if (changes === undefined) {
    return html`<p>No job tracks its changes, or the record of them cannot be read.</p>`;
  }
  if (changes.length === 0) return html`<p>No change is recorded${run !== "" && ` of run ${run}`} for this.</p>`;
  return html`${table(
    run === "" ? "Changed files, newest first" : `Files that run ${run} changed`,
    [
      { title: "File" },
      { title: "Change" },
      { title: "Lines", kind: "number" },
      { title: "Size" },
      { title: "When" },
      { title: "Job" },
      { title: "Run" },
    ],
    changes.map((change) => [
      changeLink(change),
      change.change,
      linesOf(change),
      sizesOf(change),
      exactTime(change.at),
      jobLink(change.jobId),
      html`<a href="${runHref(change.runId)}">${change.runId}</a>`,
    ]),
  )}
  ${changes.length >= limit && html`<p>Only the newest ${limit} are shown.</p>`}`;
}

function changeLink({ id, file, runId, addedLines }: RecordedChange): Html {
  if (addedLines === null) return html`<code>${file}</code>`;
  return html`<a href="/changes/${id}?run=${urlPart(runId)}"><code>${file}</code></a>`;
}

function linesOf({ addedLines, removedLines }: RecordedChange): HtmlValue {
  return addedLines === null ? "–" : `+${addedLines} −${removedLines ?? 0}`;
}

function sizesOf({ before, after }: RecordedChange): string {
  const size = (side: { size: number } | null) => (side === null ? "none" : formatBytes(side.size));
  return `${size(before)} → ${size(after)}`;
}

/** One change with its difference; `change` undefined: it is too old to be listed, only the difference is known. */
export function changePage(id: number, change: RecordedChange | undefined, diff: string | undefined): Html {
  return html`<section aria-labelledby="change">
    <header class="title">
      <h1 id="change">${change === undefined ? `Change ${id}` : html`<code>${change.file}</code>`}</h1>
    </header>
    ${
      change !== undefined &&
      facts([
        ["Change", `${change.change}, ${sizesOf(change)}`],
        ["When", exactTime(change.at)],
        ["Job", jobLink(change.jobId)],
        ["Run", html`<a href="${runHref(change.runId)}">${change.runId}</a>`],
        ["Asked for by", change.trigger],
        ["Previous copy", change.copy === null ? "not kept" : html`<code>${change.copy}</code>`],
      ])
    }
    ${
      diff === undefined
        ? html`<p>There is no difference to show: the file is no text, too large, or its copy is not kept any more.</p>`
        : diffView(diff, `/api/v1/changes/${id}/diff`)
    }
  </section>`;
}
