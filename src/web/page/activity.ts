import { formatDuration } from "../../base/duration.ts";
import { formatBytes } from "../../base/size.ts";
import { describeLockLimits } from "../../model/describe.ts";
import type { ActiveAction, JobStatus } from "../../model/status.ts";
import { html, nothing, type Html } from "./html.ts";
import { placeText, runHref } from "./parts.ts";
import { activityWord, exactTime, roughDuration, shortTime, timeElement } from "./words.ts";

/** What a job does just now: its running actions, or whom it waits for; nothing when it is idle. */
export function activityView(job: JobStatus, now: number): Html {
  if (job.activity === "idle") return nothing;
  const of = job.runId === null ? nothing : html`, <a href="${runHref(job.runId)}">see the run of ${job.jobId}</a>`;
  if (job.waitingFor !== null) return html`${waitView(job.waitingFor, now)}`;
  if (job.actions.length === 0) return html`<p class="now">${sentence(activityWord(job.activity))}${of}.</p>`;
  return html`${job.actions.map((action) => actionView(job.jobId, action, now))}`;
}

function waitView({ place, state, owner, detail, since }: NonNullable<JobStatus["waitingFor"]>, now: number): Html {
  const who =
    state === "unknown"
      ? html`<strong>nobody can say whether it is held</strong>: ${detail}`
      : html`held by <strong>${owner ?? "an unknown owner"}</strong>`;
  return html`<p class="now wait">
    Waiting for ${placeText(place)}, ${who}, since ${shortTime(since, now)} (${roughDuration(now - since)}).
  </p>`;
}

function actionView(jobId: string, action: ActiveAction, now: number): Html {
  const { actionId, targetId, attempt, progress, startedAt, millisecondsLeft } = action;
  const name = targetId === "" ? actionId : `${actionId} to ${targetId}`;
  const again = attempt === 1 ? "" : ` (try ${attempt})`;
  const started = html`since <span title="${exactTime(startedAt)}">${roughDuration(now - startedAt)}</span>`;
  if (progress === null) return html`<p class="now">Running <b>${name}</b>${again} ${started}.</p>`;
  const percent = Math.min(100, Math.max(0, progress.percent));
  const left = millisecondsLeft === null ? nothing : html`<span>${roughDuration(millisecondsLeft)} left</span>`;
  return html`<div class="now progress">
    <progress max="100" value="${percent}" aria-label="${jobId}: ${name}">${percent}%</progress>
    <p>
      <span><b>${name}</b>${again}</span> <span class="figure">${percent}%</span>
      <span>${formatBytes(progress.bytes)} at ${formatBytes(progress.bytesPerSecond)}/s</span> ${left}
      <span>${started}</span>
    </p>
  </div>`;
}

/** `Paused until 23:00 by root: the disk is being replaced`; nothing when it is not. */
export function pauseView({ paused }: JobStatus, now: number): Html {
  if (paused === null) return nothing;
  const until = paused.until === null ? "until somebody resumes it" : `until ${shortTime(paused.until, now)}`;
  const why = paused.reason === null ? "" : `: ${paused.reason}`;
  return html`<p class="now paused">Paused ${until} by ${paused.by}${why}.</p>`;
}

/** What its locks cannot do; nothing where they do everything. */
export function lockLimitsView(job: JobStatus): Html {
  return html`${describeLockLimits(job).map((limit) => html`<p class="now limit">${sentence(limit)}</p>`)}`;
}

/** The last run of a job, and how long it took. */
export function lastRunView({ lastRun }: JobStatus, now: number): Html {
  if (lastRun === null) return html`never run`;
  const took = formatDuration(Math.max(0, lastRun.finishedAt - lastRun.startedAt));
  return html`<a href="${runHref(lastRun.runId)}">${lastRun.outcome}</a>, ${timeElement(lastRun.finishedAt, now)}, took
    ${took}`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
