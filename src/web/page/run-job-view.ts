import { formatDuration } from "../../base/duration.ts";
import { quoteWord } from "../../base/shell-words.ts";
import { formatBytes } from "../../base/size.ts";
import type { TransferStats } from "../../model/transfer.ts";
import type { ActionRecord, JobRecord } from "../../store/run-history.ts";
import { html, nothing, urlPart, type Html } from "./html.ts";
import { facts, jobLink, outcomeBadge } from "./parts.ts";
import { plural } from "./words.ts";

/** What an action wrote; undefined: nothing is kept. */
export type OutputOf = (jobId: string, action: ActionRecord) => string | undefined;

/** Of a longer output the end is shown: that is where it says why it failed. */
const shownCharacters = 32_768;

/** One job of a run with its actions, from the history. */
export function runJobView(runId: string, job: JobRecord, readOutput: OutputOf): Html {
  const { jobId, outcome, message, waitedMs, startedAt, finishedAt, reason } = job;
  const took = finishedAt === null ? "" : `took ${formatDuration(Math.max(0, finishedAt - startedAt))}`;
  const waited = waitedMs === null || waitedMs === 0 ? "" : `waited ${formatDuration(waitedMs)} for locks`;
  return html`<section class="ran" id="ran-${jobId}" aria-labelledby="ran-title-${jobId}">
    <h2 id="ran-title-${jobId}">${jobLink(jobId)} ${outcomeBadge(outcome)}</h2>
    <p class="muted">${[reason ?? "", took, waited].filter((part) => part !== "").join(", ")}</p>
    ${message !== null && html`<p class="message">${message}</p>`}
    ${job.actions.map((action) => actionView(runId, jobId, action, readOutput))}
  </section>`;
}

function actionView(runId: string, jobId: string, action: ActionRecord, readOutput: OutputOf): Html {
  const { actionId, targetId, attempt, outcome, message, argv, stats, startedAt, finishedAt } = action;
  const name = `${targetId === "" ? actionId : `${actionId} to ${targetId}`}${attempt > 1 ? `, try ${attempt}` : ""}`;
  return html`<article class="action">
    <h3>${name} ${outcomeBadge(outcome)}</h3>
    ${message !== null && html`<p class="message">${message}</p>`}
    ${facts([
      ["Took", formatDuration(Math.max(0, finishedAt - startedAt))],
      ["Ended with", describeEnd(action)],
      ["Moved", describeStats(stats)],
    ])}
    ${argv.length > 0 && html`<pre class="argv" tabindex="0" role="region" aria-label="Command of ${name}">${argv.map(quoteWord).join(" ")}</pre>`}
    ${action.hasOutput ? outputView(runId, { jobId, action, name, text: readOutput(jobId, action) }) : nothing}
  </article>`;
}

function describeEnd({ exitCode, signal, reason }: ActionRecord): string {
  const end = signal !== null ? `signal ${signal}` : exitCode !== null ? `exit status ${exitCode}` : "";
  return [end, reason ?? ""].filter((part) => part !== "").join(", ");
}

function describeStats(stats: TransferStats): string {
  const { filesTransferred, filesTotal, transferredBytes, totalBytes, filesDeleted } = stats;
  const files =
    filesTransferred === null
      ? ""
      : `${plural(filesTransferred, "file")}${filesTotal === null ? "" : ` of ${filesTotal}`}`;
  const bytes =
    transferredBytes === null
      ? ""
      : `${formatBytes(transferredBytes)}${totalBytes === null ? "" : ` of ${formatBytes(totalBytes)}`}`;
  const deleted = filesDeleted === null || filesDeleted === 0 ? "" : `${filesDeleted} deleted`;
  return [files, bytes, deleted].filter((part) => part !== "").join(", ");
}

function outputView(
  runId: string,
  { jobId, action, name, text }: { jobId: string; action: ActionRecord; name: string; text: string | undefined },
): Html {
  const { actionId, targetId, attempt, outcome } = action;
  const query = `job=${urlPart(jobId)}&action=${urlPart(actionId)}&target=${urlPart(targetId)}&attempt=${attempt}`;
  if (text === undefined) return html`<p class="muted">Its output is not kept any more.</p>`;
  const cut = text.length > shownCharacters;
  return html`<details class="output" ${outcome !== "ok" && html`open`}>
    <summary>Output${cut && ", the end of it"}</summary>
    <pre tabindex="0" role="region" aria-label="Output of ${name}">${text.slice(-shownCharacters)}</pre>
    <p><a href="/api/v1/runs/${urlPart(runId)}/output?${query}">The whole output as text</a></p>
  </details>`;
}
