import { formatDuration } from "../base/duration.ts";
import type { RunCause } from "../model/run.ts";
import type { ActionRecord, JobRecord, RunRecord, RunSummary } from "../store/run-history.ts";
import { formatLocksOfRun } from "./history-locks-view.ts";
import { formatBytes, formatTable, formatTime, printable, formatJson } from "./output.ts";
import { quoteWord } from "../base/shell-words.ts";

/** By job, action, target and attempt, as `JSON.stringify([jobId, actionId, targetId, attempt])`. */
export type Outputs = ReadonlyMap<string, string>;

export function formatRunList(runs: readonly RunSummary[]): string {
  const rows = runs.map((run) => [
    run.runId,
    formatTime(run.startedAt),
    durationOf(run),
    describeCause(run.cause),
    run.outcome,
    listJobs(run),
    run.transferredBytes === null ? "" : formatBytes(run.transferredBytes),
  ]);
  return printable(formatTable(["RUN", "STARTED", "TOOK", "CAUSE", "OUTCOME", "JOBS", "SENT"], rows));
}

export function runListAsJson(runs: readonly RunSummary[]): string {
  return formatJson(runs);
}

export function formatRun(run: RunRecord): string {
  const waiting = run.requestedJobs.filter((id) => !run.jobs.some(({ jobId }) => jobId === id));
  const head = [
    `run      ${run.runId}`,
    `started  ${formatTime(run.startedAt)}, ${describeCause(run.cause)}`,
    `took     ${durationOf(run)}`,
    `outcome  ${run.outcome}${run.message === null ? "" : `: ${run.message}`}`,
    ...(waiting.length === 0 ? [] : [`not run  ${waiting.join(", ")}`]),
  ];
  const locks = run.lockEvents.length === 0 ? [] : [formatLocksOfRun(run.lockEvents)];
  return printable([head.join("\n"), ...run.jobs.map(formatJob), ...locks].join("\n\n") + "\n");
}

export function runAsJson(run: RunRecord, outputs: Outputs | undefined): string {
  if (outputs === undefined) return formatJson(run);
  const jobs = run.jobs.map((job) => ({
    ...job,
    actions: job.actions.map((action) => ({ ...action, output: outputs.get(outputKey(job, action)) ?? null })),
  }));
  return formatJson({ ...run, jobs });
}

/** The outputs one after the other; in a pipe byte for byte, on a terminal without what could steer it. */
export function formatOutputs(run: RunRecord, outputs: Outputs, { isTTY }: { isTTY: boolean }): string {
  const parts = run.jobs.flatMap((job) =>
    job.actions.map((action) => {
      const output = outputs.get(outputKey(job, action));
      const title = `==> ${job.jobId} / ${titleOf(action)} <==\n`;
      if (output === undefined) return `${title}(no output is kept)\n`;
      return `${title}${isTTY ? printable(output) : output}${output.endsWith("\n") ? "" : "\n"}`;
    }),
  );
  return parts.length === 0 ? "(this run has no actions)\n" : parts.join("\n");
}

function outputKey({ jobId }: JobRecord, { actionId, targetId, attempt }: ActionRecord): string {
  return JSON.stringify([jobId, actionId, targetId, attempt]);
}

function formatJob(job: JobRecord): string {
  const details = [
    job.outcome + (job.reason === null ? "" : ` (${job.reason})`),
    `took ${durationOf(job)}`,
    ...(job.waitedMs === null || job.waitedMs === 0 ? [] : [`waited ${formatDuration(job.waitedMs)} for locks`]),
  ];
  const message = job.message === null ? [] : [`  ${job.message}`];
  return [`job ${job.jobId}: ${details.join(", ")}`, ...message, ...job.actions.map(formatAction)].join("\n");
}

function formatAction(action: ActionRecord): string {
  const { exitCode, signal, stats, message } = action;
  const figures = [
    stats.filesTransferred === null ? "" : `${stats.filesTransferred} files`,
    stats.transferredBytes === null ? "" : formatBytes(stats.transferredBytes),
    stats.filesDeleted === null || stats.filesDeleted === 0 ? "" : `${stats.filesDeleted} deleted`,
  ].filter(Boolean);
  const end = [
    `${formatTime(action.startedAt)}, took ${durationOf(action)}`,
    ...(exitCode === null ? [] : [`exit ${exitCode}`]),
    ...(signal === null ? [] : [signal]),
    ...figures,
  ];
  return [
    `  ${titleOf(action)}: ${action.outcome}${action.reason === null ? "" : ` (${action.reason})`}`,
    ...(message === null ? [] : [`    ${message}`]),
    `    ${end.join(", ")}`,
    ...(action.argv.length === 0 ? [] : [`    ${action.argv.map(quoteWord).join(" ")}`]),
  ].join("\n");
}

function titleOf({ actionId, targetId, attempt }: ActionRecord): string {
  const name = targetId === "" ? actionId : `${actionId} to ${targetId}`;
  return attempt === 1 ? name : `${name}, try ${attempt}`;
}

function durationOf({ startedAt, finishedAt }: { startedAt: number; finishedAt: number | null }): string {
  return finishedAt === null ? "-" : formatDuration(Math.max(0, finishedAt - startedAt));
}

function describeCause(cause: RunCause): string {
  switch (cause.kind) {
    case "schedule":
      return cause.missed ? `schedule ${cause.schedule} (missed)` : `schedule ${cause.schedule}`;
    case "signal":
      return "signal";
    case "request":
      return cause.by;
    case "watch":
      return `change of ${cause.path}`;
  }
}

/** What went wrong first, then what went well, then what has not ended yet. */
function listJobs({ jobs, requestedJobs }: RunSummary): string {
  const bad = jobs.filter(({ outcome }) => outcome !== "ok");
  const good = jobs.filter(({ outcome }) => outcome === "ok");
  const open = requestedJobs.filter((id) => !jobs.some(({ jobId }) => jobId === id));
  const names = [
    ...bad.map(({ jobId, outcome }) => `${jobId} (${outcome})`),
    ...good.map(({ jobId }) => jobId),
    ...open.map((jobId) => `${jobId} (not ended)`),
  ];
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")}, +${names.length - 3}`;
}
