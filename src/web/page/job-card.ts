import type { JobStatus, RecentRun, TargetStatus } from "../../model/status.ts";
import { activityView, lastRunView, lockLimitsView, pauseView } from "./activity.ts";
import { html, nothing, urlPart, type Html } from "./html.ts";
import { groupOf, troublesOf } from "../../model/job-order.ts";
import { badge, commandButton, freshnessBadge, jobHref, jobLink } from "./parts.ts";
import { runStrip } from "./strip.ts";
import { plural, relative, timeElement } from "./words.ts";

export interface CardOptions {
  readonly now: number;
  readonly actions: boolean;
  /** undefined: the strip is left out, and whoever has an older one of the same last run keeps it. */
  readonly recentRuns: ((jobId: string) => readonly RecentRun[]) | undefined;
}

/** A job on the overview. Ids and keys let the browser put a newer one in its place piece by piece. */
export function jobCard(job: JobStatus, options: CardOptions): Html {
  const { now } = options;
  return html`<article class="job ${groupOf(job)}" id="job-${job.jobId}" aria-labelledby="name-${job.jobId}">
    <header>
      <h3 id="name-${job.jobId}">${jobLink(job.jobId)}</h3>
      ${stateBadges(job)}
    </header>
    <div class="body">
      ${activityView(job, now)} ${pauseView(job, now)} ${failureView(job)} ${targetList(job, now)}
      ${lockLimitsView(job)}
    </div>
    <dl class="times">
      <div>
        <dt>Last success</dt>
        <dd>${job.lastSuccessAt === null ? "none" : timeElement(job.lastSuccessAt, now)}</dd>
      </div>
      <div>
        <dt>Last run</dt>
        <dd>${lastRunView(job, now)}</dd>
      </div>
      <div>
        <dt>Next run</dt>
        <dd>${job.nextRunAt === null ? "not scheduled" : timeElement(job.nextRunAt, now)}</dd>
      </div>
    </dl>
    <div class="strip" data-keep="${job.lastRun?.runId ?? "none"}">
      ${options.recentRuns !== undefined && runStrip(job.jobId, options.recentRuns(job.jobId))}
    </div>
    ${options.actions && jobCommands(job)}
  </article>`;
}

/** One line for a job that needs nothing, where there are too many for a card each. */
export function jobLine(job: JobStatus, now: number): Html {
  const next = job.nextRunAt === null ? "not scheduled" : relative(job.nextRunAt, now);
  const last = job.lastSuccessAt === null ? "none" : relative(job.lastSuccessAt, now);
  return html`<li id="job-${job.jobId}">
    ${jobLink(job.jobId)} ${stateBadges(job)} <span class="muted">last success ${last}, next ${next}</span>
  </li>`;
}

export function stateBadges(job: JobStatus): Html {
  const worst = troublesOf(job)[0];
  return html`<span class="badges">
    ${job.enabled && freshnessBadge(job.freshness)} ${worst === "failed" && badge("bad", "Last run failed")}
    ${worst === "lock" && badge("warn", "Lock in doubt")} ${worst === "watch" && badge("warn", "May miss changes")}
    ${job.activity !== "idle" && badge("busy", activityBadge(job.activity))}
    ${job.paused !== null && badge("calm", "Paused")} ${!job.enabled && badge("calm", "Disabled")}
  </span>`;
}

function activityBadge(activity: JobStatus["activity"]): string {
  return { idle: "Idle", queued: "Queued", waiting: "Waiting", running: "Running" }[activity];
}

function failureView({ lastRun, watch }: JobStatus): Html {
  const message = lastRun !== null && lastRun.outcome !== "ok" ? lastRun.message : null;
  return html`${message !== null && html`<p class="message">${message}</p>`}
  ${typeof watch?.degraded === "string" && html`<p class="message">Watching: ${watch.degraded}</p>`}`;
}

/** A job with one target says nothing of it but what has not arrived there. */
function targetList({ targets }: JobStatus, now: number): Html {
  const pending = targets.some((target) => target.pending !== null);
  if (targets.length < 2 && !pending) return nothing;
  return html`<ul class="targets">
    ${targets.map(
      (target) =>
        html`<li>
          <span class="name">${target.targetId}</span> ${freshnessBadge(target.freshness)}
          <span class="muted">${describeTarget(target, now)}</span>
        </li>`,
    )}
  </ul>`;
}

export function describeTarget({ lastSuccessAt, lastOutcome, pending }: TargetStatus, now: number): string {
  const success = lastSuccessAt === null ? "no success yet" : `last success ${relative(lastSuccessAt, now)}`;
  const outcome = lastOutcome === null || lastOutcome === "ok" ? "" : `, last try ${lastOutcome}`;
  return `${success}${outcome}${describePending(pending, now)}`;
}

function describePending(pending: TargetStatus["pending"], now: number): string {
  if (pending === null) return "";
  const what = pending.files === null ? "a complete sync is" : plural(pending.files, "change is", "changes are");
  return `, ${what} pending, the oldest from ${relative(pending.oldestAt, now)}`;
}

/** Only what can be done just now. */
export function jobCommands(job: JobStatus): Html {
  const of = job.jobId;
  const api = `/api/v1${jobHref(of)}`;
  const run = { label: "Run now", of, url: "/api/v1/runs", body: { jobs: [of] } };
  const cancel =
    job.runId === null
      ? undefined
      : {
          ...{ label: "Cancel", of, url: `/api/v1/runs/${urlPart(job.runId)}/cancel`, body: {} },
          confirm: `Cancel run ${job.runId}? It stops ${of} and every other job of that run.`,
        };
  return html`<div class="commands">
    ${job.enabled && job.activity === "idle" && job.paused === null && commandButton(run)}
    ${cancel !== undefined && commandButton(cancel)}
    ${job.enabled && job.paused === null && commandButton({ label: "Pause…", of, url: `${api}/pause`, body: {}, asksPause: true })}
    ${job.paused !== null && commandButton({ label: "Resume", of, url: `${api}/resume`, body: {} })}
  </div>`;
}
