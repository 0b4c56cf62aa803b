import type { RunSummary } from "../../store/run-history.ts";
import { html, type Html } from "./html.ts";
import { runTable } from "./run-table.ts";

export interface RunsFilter {
  /** Empty: of every job. */
  readonly job: string;
  readonly failed: boolean;
  readonly limit: number;
}

/** The history, newest first; `runs` undefined: it does not work. */
export function runsPage(
  runs: readonly RunSummary[] | undefined,
  { filter, jobs }: { filter: RunsFilter; jobs: readonly string[] },
): Html {
  const { job, failed, limit } = filter;
  const option = (value: string, label: string) =>
    html`<option value="${value}" ${value === job && html`selected`}>${label}</option>`;
  return html`<section aria-labelledby="runs">
    <header class="title"><h1 id="runs">Runs</h1></header>
    <form class="search" method="get" action="/runs" role="search">
      <label for="job">Job</label>
      <select id="job" name="job">
        ${option("", "every job")}${jobs.map((jobId) => option(jobId, jobId))}
      </select>
      <label class="check"
        ><input type="checkbox" name="failed" value="true" ${failed && html`checked`} /> only without success</label
      >
      <button type="submit">Show</button>
    </form>
    ${runs === undefined && html`<p class="message">The history does not work: nobody can say what ran.</p>`}
    ${runs?.length === 0 && html`<p>There is no such run in the history.</p>`}
    ${runs !== undefined && runs.length > 0 && runTable(failed ? "Runs without success" : "Runs", runs)}
    ${runs !== undefined && runs.length >= limit && html`<p>Only the newest ${limit} are shown.</p>`}
  </section>`;
}
