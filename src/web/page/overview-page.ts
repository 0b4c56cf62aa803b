import type { InstanceStatus, JobStatus } from "../../model/status.ts";
import { html, nothing, type Html } from "./html.ts";
import { groupOf, sortJobs, type JobGroup } from "../../model/job-order.ts";
import { jobCard, jobLine, type CardOptions } from "./job-card.ts";
import { commandButton, facts, icon, jobLinks, runHref } from "./parts.ts";
import { describeCause } from "../../model/describe.ts";
import { judge } from "./verdict.ts";
import { exactTime, plural, roughDuration, timeElement } from "./words.ts";

const titles: Readonly<Record<JobGroup, string>> = {
  attention: "Needs attention",
  active: "At work",
  rest: "All is well",
  off: "Paused or disabled",
};

/** So many jobs get a card each, the worst first; of the others a line, folded away. */
const cards = 60;

export interface OverviewOptions extends Omit<CardOptions, "now"> {
  /** Only jobs whose id holds this, in any case. */
  readonly search: string;
}

/** What the whole instance does; the first sentence says whether all is well. */
export function overviewPage(status: InstanceStatus, options: OverviewOptions): Html {
  const { search } = options;
  const now = status.at;
  const wanted = status.jobs.filter(({ jobId }) => jobId.toLowerCase().includes(search.toLowerCase()));
  const sorted = sortJobs(wanted);
  const withCard = sorted.slice(0, cards);
  const others = sorted.slice(cards);
  const groups = new Set(withCard.map(groupOf));
  return html`${verdictView(status)} ${runsView(status)}
  ${(status.jobs.length > 20 || search !== "") && searchForm(search)}
  ${[...groups].map((group) => groupView(group, withCard, { ...options, now }))}
  ${others.length > 0 && foldedJobs(others, now)}
  ${search !== "" && sorted.length === 0 && html`<p>No job has “${search}” in its name.</p>`}
  ${instanceView(status, options.actions)}`;
}

function verdictView(status: InstanceStatus): Html {
  const { tone, sentence, notes } = judge(status);
  return html`<section class="verdict ${tone}" aria-labelledby="verdict">
    <h1 id="verdict" aria-live="polite">${icon(tone)}<span>${sentence}</span></h1>
    ${
      notes.length > 0 &&
      html`<ul>
        ${notes.map((note) => html`<li>${note}</li>`)}
      </ul>`
    }
  </section>`;
}

function groupView(group: JobGroup, jobs: readonly JobStatus[], options: CardOptions): Html {
  const members = jobs.filter((job) => groupOf(job) === group);
  return html`<section class="group" id="group-${group}" aria-labelledby="title-${group}">
    <h2 id="title-${group}">${titles[group]} <span class="count">${members.length}</span></h2>
    ${members.map((job) => jobCard(job, options))}
  </section>`;
}

function foldedJobs(jobs: readonly JobStatus[], now: number): Html {
  // Somebody has to see them: they are open when there are more in trouble than there are cards.
  const open = jobs.some((job) => groupOf(job) === "attention");
  return html`<details class="folded" id="folded" ${open && html`open`}>
    <summary>${plural(jobs.length, "more job")}</summary>
    <ul>
      ${jobs.map((job) => jobLine(job, now))}
    </ul>
  </details>`;
}

function runsView({ runs, at }: InstanceStatus): Html {
  if (runs.length === 0) return nothing;
  return html`<section class="runs" aria-labelledby="open-runs">
    <h2 id="open-runs">Runs under way <span class="count">${runs.length}</span></h2>
    <ul>
      ${runs.map(
        ({ runId, state, jobs, cause, queuedAt, startedAt }) =>
          html`<li id="run-${runId}">
            <a href="${runHref(runId)}">${runId}</a> ${state} for ${roughDuration(at - (startedAt ?? queuedAt))}, asked
            for by ${describeCause(cause)}:
            ${jobLinks(jobs.slice(0, 6))}${jobs.length > 6 && ` and ${jobs.length - 6} more`}
          </li>`,
      )}
    </ul>
  </section>`;
}

function searchForm(search: string): Html {
  return html`<form class="search" method="get" action="/" role="search">
    <label for="q">Job</label> <input id="q" name="q" type="search" value="${search}" autocomplete="off" />
    <button type="submit">Search</button>
  </form>`;
}

function instanceView(status: InstanceStatus, actions: boolean): Html {
  const { at, lastReload } = status;
  return html`<section class="instance" aria-labelledby="instance">
    <h2 id="instance">This director</h2>
    ${facts([
      ["Instance", `${status.rsyncId} on ${status.hostname} (pid ${status.pid})`],
      ["Version", status.version],
      ["Started", timeElement(status.startedAt, at)],
      ["Configuration", html`<code>${status.configFile}</code>, read ${timeElement(status.configLoadedAt, at)}`],
      ["Last reload", lastReload !== null && describeReload(lastReload)],
      ["History", status.history.ok ? "works" : `fails: ${status.history.detail}`],
    ])}
    ${actions && instanceCommands()}
  </section>`;
}

function describeReload({ at, ok, message }: NonNullable<InstanceStatus["lastReload"]>): string {
  return `${exactTime(at)}, ${ok ? "taken over" : "refused"}: ${message}`;
}

function instanceCommands(): Html {
  const runAll = { label: "Run all jobs", of: "", url: "/api/v1/runs", body: { jobs: [] } };
  const reload = { label: "Reload configuration", of: "", url: "/api/v1/reload", body: {} };
  return html`<div class="commands">
    ${commandButton({ ...runAll, confirm: "Run every enabled job now?" })} ${commandButton(reload)}
  </div>`;
}
