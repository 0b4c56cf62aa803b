import { formatDuration } from "../../base/duration.ts";
import { formatBytes } from "../../base/size.ts";
import type { InstanceStatus, JobStatus, RecentRun } from "../../model/status.ts";
import type { JobRecord } from "../../store/run-history.ts";
import { activityView, lastRunView, lockLimitsView, pauseView } from "./activity.ts";
import { timeChart, type ChartPoint } from "./chart.ts";
import { html, nothing, type Html } from "./html.ts";
import { describeTarget, jobCommands, stateBadges } from "./job-card.ts";
import { troublesOf } from "../../model/job-order.ts";
import { facts, freshnessBadge, placeText, runHref, table } from "./parts.ts";
import { recentRunTable } from "./run-table.ts";
import { decimalAxis, durationAxis } from "./scale.ts";
import { describeTrouble } from "./verdict.ts";
import { exactTime, outcomeWords, relative, roughDuration, timeElement } from "./words.ts";

export interface LastFailure {
  readonly runId: string;
  readonly job: JobRecord;
}

export interface JobPageOptions {
  readonly actions: boolean;
  /** Oldest first. */
  readonly recentRuns: readonly RecentRun[];
  /** The last run without success; null: there is none. undefined: the history does not work. */
  readonly lastFailure: LastFailure | null | undefined;
  /** The next times of each schedule that runs it. */
  readonly schedule: readonly { readonly schedule: string; readonly times: readonly number[] }[];
}

/** Everything about one job. */
export function jobPage(status: InstanceStatus, job: JobStatus, options: JobPageOptions): Html {
  const now = status.at;
  const troubled = troublesOf(job).length > 0;
  return html`<section aria-labelledby="job">
      <header class="title">
        <h1 id="job">${job.jobId}</h1>
        ${stateBadges(job)}
      </header>
      ${troubled && html`<p class="trouble">${job.jobId} ${describeTrouble(job, now)}.</p>`} ${activityView(job, now)}
      ${pauseView(job, now)} ${lockLimitsView(job)} ${options.actions && jobCommands(job)}
      ${facts([
        ["Last success", job.lastSuccessAt === null ? "none" : timeElement(job.lastSuccessAt, now)],
        ["Last run", lastRunView(job, now)],
        ["Next run", job.nextRunAt === null ? "not scheduled" : timeElement(job.nextRunAt, now)],
        ["Watching", job.watch !== null && describeWatch(job.watch)],
      ])}
    </section>
    ${targetsView(job, now)} ${failureView(options.lastFailure, now)} ${chartsView(options.recentRuns)}
    ${scheduleView(options.schedule, now)} ${locksView(job, now)} ${runsView(job.jobId, options.recentRuns)}`;
}

function describeWatch({ directories, degraded }: NonNullable<JobStatus["watch"]>): string {
  return degraded === null ? `${directories} directories` : `may miss changes: ${degraded}`;
}

function targetsView({ targets }: JobStatus, now: number): Html {
  return html`<section aria-labelledby="targets">
    <h2 id="targets">Targets</h2>
    ${table(
      "Targets",
      [{ title: "Target" }, { title: "Copies" }, { title: "State" }],
      targets.map((target) => [target.targetId, freshnessBadge(target.freshness), describeTarget(target, now)]),
    )}
  </section>`;
}

function failureView(failure: JobPageOptions["lastFailure"], now: number): Html {
  if (failure === undefined) return html`<p class="message">The history does not work: past runs are not shown.</p>`;
  if (failure === null) return nothing;
  const { runId, job } = failure;
  return html`<section aria-labelledby="failure">
    <h2 id="failure">Last run without success</h2>
    <p>
      <a href="${runHref(runId)}">${runId}</a>, ${timeElement(job.startedAt, now)}:
      ${outcomeWords(job.outcome).word}${job.failedAction !== null && ` in ${job.failedAction}`}
    </p>
    ${job.message !== null && html`<p class="message">${job.message}</p>`}
  </section>`;
}

function chartsView(runs: readonly RecentRun[]): Html {
  if (runs.length === 0) return nothing;
  const points = (valueOf: (run: RecentRun) => number | null): ChartPoint[] =>
    runs.flatMap((run) => {
      const value = valueOf(run);
      const { tone, word } = outcomeWords(run.outcome);
      return value === null ? [] : [{ at: run.startedAt, value, tone, outcome: word }];
    });
  const largest = (of: readonly ChartPoint[]) => Math.max(0, ...of.map(({ value }) => value));
  const durations = points(({ durationMs }) => durationMs);
  const bytes = points((run) => run.bytes);
  return html`<section aria-labelledby="charts">
    <h2 id="charts">Over time</h2>
    <div class="charts">
      ${timeChart({
        ...{ title: "Duration", points: durations, axis: durationAxis(largest(durations)) },
        format: (ms) => (ms === 0 ? "0" : formatDuration(ms)),
      })}
      ${
        bytes.length > 0 &&
        timeChart({ title: "Bytes sent", points: bytes, axis: decimalAxis(largest(bytes)), format: formatBytes })
      }
    </div>
    <p class="muted">The same figures stand in the table of runs below.</p>
  </section>`;
}

function scheduleView(schedule: JobPageOptions["schedule"], now: number): Html {
  return html`<section aria-labelledby="schedule">
    <h2 id="schedule">Schedule</h2>
    ${schedule.length === 0 && html`<p>No schedule runs it.</p>`}
    <ul>
      ${schedule.map(
        (entry) =>
          html`<li>
            <code>${entry.schedule}</code>:
            ${
              entry.times.length === 0
                ? "never again"
                : entry.times.map((at) => `${exactTime(at)} (${relative(at, now)})`).join(", ")
            }
          </li>`,
      )}
    </ul>
  </section>`;
}

function locksView({ locks }: JobStatus, now: number): Html {
  if (locks.length === 0) return nothing;
  return html`<section aria-labelledby="held">
    <h2 id="held">Locks it holds</h2>
    ${table(
      "Locks it holds",
      [{ title: "Lock" }, { title: "State" }, { title: "Since" }],
      locks.map(({ place, state, since }) => [
        placeText(place),
        state,
        `${exactTime(since)} (${roughDuration(now - since)})`,
      ]),
    )}
    <p><a href="/locks">All locks of this configuration</a></p>
  </section>`;
}

function runsView(jobId: string, runs: readonly RecentRun[]): Html {
  return html`<section aria-labelledby="runs">
    <h2 id="runs">Recent runs</h2>
    ${runs.length === 0 ? html`<p>It has not run yet.</p>` : recentRunTable(`The last runs of ${jobId}`, runs)}
    <p><a href="/runs?job=${encodeURIComponent(jobId)}">All runs of this job</a></p>
  </section>`;
}
