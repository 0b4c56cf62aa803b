import { formatDuration } from "../base/duration.ts";
import { describeCause } from "../model/describe.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { ActionRecord, RunRecord, RunSummary } from "../store/run-history.ts";
import { formatName } from "./changes-view.ts";
import { type Outputs, outputKey } from "./history-access.ts";
import { formatLocksOfRun } from "./history-locks-view.ts";
import { formatBytes, formatPlace, formatTable, formatTime, printable, formatJson } from "./output.ts";
import { quoteWord } from "../base/shell-words.ts";
import type { ChangedFile, ChangedFiles, LockWait, RunStory, ToldAction, ToldJob } from "./run-story.ts";

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

/** One run with all that is known of it; `allFiles`: every changed file, and not only the first few. */
export function formatRun(run: RunStory, options: { allFiles: boolean } = { allFiles: false }): string {
  const waiting = run.requestedJobs.filter((id) => !run.jobs.some(({ jobId }) => jobId === id));
  const head = [
    `run      ${run.runId}`,
    `started  ${formatTime(run.startedAt)}, ${describeCause(run.cause)}`,
    `took     ${durationOf(run)}`,
    `outcome  ${run.outcome}${run.message === null ? "" : `: ${run.message}`}`,
    ...(waiting.length === 0 ? [] : [`not run  ${waiting.join(", ")}`]),
  ];
  const locks = run.lockEvents.length === 0 ? [] : [formatLocksOfRun(run.lockEvents)];
  const jobs = run.jobs.map((job) => formatJob(job, options));
  return printable([head.join("\n"), ...jobs, ...locks].join("\n\n") + "\n");
}

/** `outputs` undefined: they were not asked for. */
export function runAsJson(run: RunStory, outputs: Outputs | undefined): string {
  if (outputs === undefined) return formatJson(run);
  const jobs = run.jobs.map((job) => ({
    ...job,
    actions: job.actions.map((action) => ({ ...action, output: outputs.get(outputKey(job.jobId, action)) ?? null })),
  }));
  return formatJson({ ...run, jobs });
}

/** The outputs one after the other; in a pipe byte for byte, on a terminal without what could steer it. */
export function formatOutputs(run: RunRecord, outputs: Outputs, { isTTY }: { isTTY: boolean }): string {
  const parts = run.jobs.flatMap((job) =>
    job.actions.map((action) => {
      const output = outputs.get(outputKey(job.jobId, action));
      const title = `==> ${job.jobId} / ${titleOf(action)} <==\n`;
      if (output === undefined) return `${title}(no output is kept)\n`;
      return `${title}${isTTY ? printable(output) : output}${output.endsWith("\n") ? "" : "\n"}`;
    }),
  );
  return parts.length === 0 ? "(this run has no actions)\n" : parts.join("\n");
}

/** The same below a line that says which run it was. */
export function formatRunOutputs(run: RunRecord, outputs: Outputs, options: { isTTY: boolean }): string {
  const head = `run ${run.runId} of ${formatTime(run.startedAt)}, ${describeCause(run.cause)}: ${run.outcome}`;
  return `${printable(head)}\n${formatOutputs(run, outputs, options)}\n`;
}

function formatJob(job: ToldJob, options: { allFiles: boolean }): string {
  const details = [
    job.outcome + (job.reason === null ? "" : ` (${job.reason})`),
    `took ${durationOf(job)}`,
    ...(job.waitedMs === null || job.waitedMs === 0 ? [] : [`waited ${formatDuration(job.waitedMs)} for locks`]),
  ];
  const message = job.message === null || isTold(job.message, job.actions) ? [] : [`  ${job.message}`];
  return [
    `job ${job.jobId}: ${details.join(", ")}`,
    ...message,
    ...job.waits.map(formatWait),
    ...job.actions.map((action) => formatAction(action, options)),
  ].join("\n");
}

/** Whether the lines of an action say it. */
function isTold(message: string, actions: readonly ToldAction[]): boolean {
  return actions.some((action) => message === `${nameOf(action)}: ${action.message ?? ""}`);
}

function formatWait({ place, because, waitedMs }: LockWait): string {
  const time = waitedMs === null ? "waits" : `waited ${formatDuration(waitedMs)}`;
  return `  ${time} for ${place === null ? "a lock" : formatPlace(place)}${because === null ? "" : `: ${because}`}`;
}

function formatAction(action: ToldAction, options: { allFiles: boolean }): string {
  const { exitCode, signal, message, retriedAfterMs } = action;
  const end = [
    `${formatTime(action.startedAt)}, took ${durationOf(action)}`,
    ...(retriedAfterMs === null ? [] : [`${formatDuration(retriedAfterMs)} after the try before`]),
    ...(exitCode === null ? [] : [`exit ${exitCode}`]),
    ...(signal === null ? [] : [signal]),
    ...figuresOf(action.stats),
  ];
  return [
    `  ${titleOf(action)}: ${action.outcome}${action.reason === null ? "" : ` (${action.reason})`}`,
    ...(message === null ? [] : [`    ${message}`]),
    `    ${end.join(", ")}`,
    ...(action.argv.length === 0 ? [] : [`    ${action.argv.map(quoteWord).join(" ")}`]),
    ...formatStats(action.stats).map((line) => `    ${line}`),
    ...(action.changes === null ? [] : formatChanges(action.changes, options)),
  ].join("\n");
}

function figuresOf({ filesTransferred, transferredBytes, filesDeleted }: TransferStats): string[] {
  return [
    ...(filesTransferred === null ? [] : [`${filesTransferred} files`]),
    ...(transferredBytes === null ? [] : [formatBytes(transferredBytes)]),
    ...(filesDeleted === null || filesDeleted === 0 ? [] : [`${filesDeleted} deleted`]),
  ];
}

/** What rsync counted besides. */
function formatStats(stats: TransferStats): string[] {
  const { filesTotal, totalBytes, filesCreated, sentBytes, receivedBytes, literalBytes, matchedBytes } = stats;
  const bytes = (name: string, count: number | null) => (count === null ? [] : [`${name} ${formatBytes(count)}`]);
  const parts = [
    ...(filesTotal === null
      ? []
      : [`of ${filesTotal} files${totalBytes === null ? "" : `, ${formatBytes(totalBytes)}`}`]),
    ...(filesCreated === null || filesCreated === 0 ? [] : [`${filesCreated} created`]),
    ...bytes("sent", sentBytes),
    ...bytes("received", receivedBytes),
    ...bytes("literal", literalBytes),
    ...bytes("matched", matchedBytes),
  ];
  return parts.length === 0 ? [] : [parts.join(", ")];
}

const fewFiles = 10;
const signs = { created: "+", modified: "~", deleted: "-", attributes: "." } as const;

function formatChanges({ source, files }: ChangedFiles, { allFiles }: { allFiles: boolean }): string[] {
  const count = (change: ChangedFile["change"]) => files.filter((file) => file.change === change).length;
  const counts = (["created", "modified", "deleted", "attributes"] as const)
    .map((change) => [count(change), change === "attributes" ? "attributes only" : change] as const)
    .filter(([number]) => number > 0)
    .map(([number, name]) => `${number} ${name}`);
  const shown = allFiles ? files : files.slice(0, fewFiles);
  const rest = files.length - shown.length;
  return [
    `    changed${source === "ledger" ? " (tracked)" : ""}: ${counts.join(", ")}`,
    ...shown.map(({ change, path }) => `      ${signs[change]} ${formatName(path)}`),
    ...(rest === 0 ? [] : [`      … ${rest} more with --files`]),
  ];
}

function titleOf(action: ActionRecord): string {
  const { attempt } = action;
  return attempt === 1 ? nameOf(action) : `${nameOf(action)}, try ${attempt}`;
}

function nameOf({ actionId, targetId }: ActionRecord): string {
  return targetId === "" ? actionId : `${actionId} to ${targetId}`;
}

function durationOf({ startedAt, finishedAt }: { startedAt: number; finishedAt: number | null }): string {
  return finishedAt === null ? "-" : formatDuration(Math.max(0, finishedAt - startedAt));
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
