import { formatBytes } from "../../base/size.ts";
import { formatDuration } from "../../base/duration.ts";
import { describeCause } from "../../model/describe.ts";
import type { RecentRun } from "../../model/status.ts";
import type { RunSummary } from "../../store/run-history.ts";
import { html, type Html } from "./html.ts";
import { jobLinks, outcomeBadge, runHref, table } from "./parts.ts";
import { exactTime } from "./words.ts";

/** Runs of the whole instance, newest first. */
export function runTable(caption: string, runs: readonly RunSummary[]): Html {
  const columns = [
    { title: "Run" },
    { title: "Started" },
    { title: "Outcome" },
    { title: "Took", kind: "number" },
    { title: "Jobs" },
    { title: "Cause" },
    { title: "Sent", kind: "number" },
  ] as const;
  return table(
    caption,
    columns,
    runs.map((run) => [
      html`<a href="${runHref(run.runId)}">${run.runId}</a>`,
      exactTime(run.startedAt),
      html`${outcomeBadge(run.outcome)}${run.message !== null && html` <span class="message">${run.message}</span>`}`,
      run.finishedAt === null ? "–" : formatDuration(Math.max(0, run.finishedAt - run.startedAt)),
      html`${jobLinks(run.requestedJobs.slice(0, 5))}${run.requestedJobs.length > 5 && ` and ${run.requestedJobs.length - 5} more`}`,
      describeCause(run.cause),
      run.transferredBytes === null ? "–" : formatBytes(run.transferredBytes),
    ]),
  );
}

/** The figures of a job's charts and of its strip, newest first. */
export function recentRunTable(caption: string, runs: readonly RecentRun[]): Html {
  const columns = [
    { title: "Run" },
    { title: "Started" },
    { title: "Outcome" },
    { title: "Took", kind: "number" },
    { title: "Sent", kind: "number" },
    { title: "Files", kind: "number" },
  ] as const;
  return table(
    caption,
    columns,
    runs
      .toReversed()
      .map(({ runId, startedAt, outcome, durationMs, bytes, files }) => [
        html`<a href="${runHref(runId)}">${runId}</a>`,
        exactTime(startedAt),
        outcomeBadge(outcome),
        formatDuration(durationMs),
        bytes === null ? "–" : formatBytes(bytes),
        files === null ? "–" : files,
      ]),
  );
}
