import { formatDuration } from "../../base/duration.ts";
import { describeCause } from "../../model/describe.ts";
import type { InstanceStatus, OpenRun } from "../../model/status.ts";
import type { RunRecord } from "../../store/run-history.ts";
import type { DirectorEvent } from "../director-control.ts";
import { activityView } from "./activity.ts";
import { eventLine, isRepeated } from "./client/event-line.ts";
import { html, nothing, urlPart, type Html } from "./html.ts";
import { commandButton, facts, jobLink, jobLinks, outcomeBadge, placeText, table } from "./parts.ts";
import { runJobView, type OutputOf } from "./run-job-view.ts";
import { badge } from "./parts.ts";
import { exactTime, roughDuration, timeElement } from "./words.ts";

export interface RunPageOptions {
  readonly actions: boolean;
  /** While it is queued or runs. */
  readonly open: OpenRun | undefined;
  /** undefined: it has not begun, or the history does not work. */
  readonly record: RunRecord | undefined;
  /** What the director still remembers of it where the history does not tell all, oldest first. */
  readonly events: readonly DirectorEvent[];
  readonly readOutput: OutputOf;
}

const rememberedOnly = "It has ended, and the history does not work: this is what the director remembers of it.";

/** One run: what it did and does, with its log while it goes on. */
export function runPage(status: InstanceStatus, runId: string, options: RunPageOptions): Html {
  const { open, record, events, actions } = options;
  const now = status.at;
  const jobs = record?.requestedJobs ?? open?.jobs ?? [];
  const cause = record?.cause ?? open?.cause;
  const startedAt = record?.startedAt ?? open?.startedAt ?? null;
  return html`<section aria-labelledby="run">
      <header class="title">
        <h1 id="run">Run ${runId}</h1>
        ${open !== undefined ? badge("busy", open.state === "queued" ? "Queued" : "Running") : record !== undefined && outcomeBadge(record.outcome)}
      </header>
      ${record?.message && html`<p class="message">${record.message}</p>`}
      ${open === undefined && record === undefined && html`<p class="message">${rememberedOnly}</p>`}
      ${facts([
        ["Jobs", jobLinks(jobs)],
        ["Asked for by", cause !== undefined && describeCause(cause)],
        ["Started", startedAt !== null && html`${exactTime(startedAt)} (${timeElement(startedAt, now)})`],
        ["Took", tookOf(record)],
        ["Changed files", record !== undefined && html`<a href="/changes?run=${urlPart(runId)}">what it changed</a>`],
      ])}
      ${actions && open !== undefined && cancelButton(runId, jobs)}
    </section>
    ${open !== undefined && openJobs(status, runId)} ${events.length > 0 && logView(events)}
    ${record?.jobs.map((job) => runJobView(runId, job, options.readOutput))} ${locksView(record)}`;
}

function tookOf(record: RunRecord | undefined): string {
  if (record === undefined || record.finishedAt === null) return "";
  return formatDuration(Math.max(0, record.finishedAt - record.startedAt));
}

function cancelButton(runId: string, jobs: readonly string[]): Html {
  const cancel = { label: "Cancel", of: `run ${runId}`, url: `/api/v1/runs/${urlPart(runId)}/cancel`, body: {} };
  return html`<div class="commands">
    ${commandButton({ ...cancel, confirm: `Cancel run ${runId}? It stops ${jobs.join(", ")}.` })}
  </div>`;
}

function openJobs({ jobs, at }: InstanceStatus, runId: string): Html {
  const busy = jobs.filter((job) => job.runId === runId && job.activity !== "idle");
  if (busy.length === 0) return nothing;
  return html`<section aria-labelledby="now">
    <h2 id="now">Now</h2>
    ${busy.map(
      (job) =>
        html`<div class="busy" id="busy-${job.jobId}">
          <h3>${jobLink(job.jobId)}</h3>
          ${activityView({ ...job, runId: null }, at)}
        </div>`,
    )}
  </section>`;
}

/** Kept by the browser once it follows the run: it then adds the lines itself. */
function logView(events: readonly DirectorEvent[]): Html {
  const lines = events
    .flatMap(({ name, payload }) => eventLine(name, { ...payload }) ?? [])
    .filter((line, index, all) => !isRepeated(line, all[index - 1]));
  return html`<section aria-labelledby="log-title" data-keep="log" data-pinned="yes">
    <h2 id="log-title">Log</h2>
    <div id="log" class="log" role="log" aria-live="off" aria-labelledby="log-title" tabindex="0">
      ${lines.map(({ kind, text }) => html`<p class="${kind}">${text}</p>`)}
    </div>
  </section>`;
}

function locksView(record: RunRecord | undefined): Html {
  if (record === undefined || record.lockEvents.length === 0) return nothing;
  return html`<section aria-labelledby="lock-events">
    <h2 id="lock-events">Locks</h2>
    ${table(
      "What happened to locks",
      [{ title: "When" }, { title: "Job" }, { title: "What" }, { title: "Lock" }, { title: "Details" }],
      record.lockEvents.map(({ at, jobId, kind, place, owner, ageMs, detail }) => [
        exactTime(at),
        jobId ?? "–",
        kind,
        place === null ? "–" : placeText(place),
        [owner, ageMs === null ? null : roughDuration(ageMs), detail].filter((part) => part !== null).join("; ") || "–",
      ]),
    )}
  </section>`;
}
