import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome } from "../model/run.ts";
import type { TransferProgress, TransferStats } from "../model/transfer.ts";
import type { TextOutput } from "./command-context.ts";
import { createClockFormat, formatBytes, printable } from "./output.ts";
import { quoteWord } from "../base/shell-words.ts";
import { showLocks } from "./run-view-locks.ts";

/**
 * The director asks every rsync for its statistics and shows them in one line of its own. The block
 * itself (it comes last) is for those who asked for it; the history has it in any case.
 */
function createStatisticsFilter() {
  const states = new Map<string, "before" | "inside">();
  return {
    begin: (action: string, argv: readonly string[]) => {
      const asked = argv.filter((word) => word === "--stats").length > 1;
      if (argv[0] === "rsync" && !asked) states.set(action, "before");
      else states.delete(action);
    },
    hides: (action: string, text: string): boolean => {
      const state = states.get(action);
      if (state === undefined) return false;
      if (/^Number of files: \d/.test(text)) states.set(action, "inside");
      return text === "" || states.get(action) === "inside";
    },
  };
}

const barWidth = 24;
const clearLine = "\r\u001b[K";

/**
 * Prints a run as it happens: one line per event, and on a terminal a last line that moves with the
 * transfer. In a pipe there is nothing but whole lines. Returns a function that ends the view.
 */
export function showRun(
  events: Emitter<DirectorEvents>,
  options: { output: TextOutput; dryRun: boolean; now: () => number },
): () => void {
  const { output, dryRun, now } = options;
  const isTerminal = output.isTTY === true;
  const hidesStatistics = createStatisticsFilter();
  const formatClock = createClockFormat();
  /** Jobs with several targets: no action's own line tells how they end. */
  const withTargets = new Set<string>();
  let shownProgress = "";

  const line = (jobId: string, text: string) => {
    const clear = shownProgress === "" ? "" : clearLine;
    output.write(`${clear}${formatClock(now())} ${jobId}  ${printable(text)}\n${shownProgress}`);
  };
  const setProgress = (text: string) => {
    if (!isTerminal || text === shownProgress) return;
    shownProgress = text.slice(0, (output.columns ?? 80) - 1);
    output.write(clearLine + shownProgress);
  };

  const stops = [
    events.on("job:started", ({ jobId }) => line(jobId, dryRun ? "dry run: takes no locks" : "started")),
    events.on("job:slow", ({ jobId, runningMs }) => line(jobId, `still running after ${formatDuration(runningMs)}`)),
    ...showLocks(events, line),
    events.on("action:started", (event) => {
      const { jobId, argv } = event;
      hidesStatistics.begin(keyOf(event), argv);
      line(jobId, `${nameOf(event)}: ${dryRun ? "would run" : "runs"} ${argv.map(quoteWord).join(" ")}`);
    }),
    events.on("action:output", (event) => {
      const { jobId, targetId, stream, line: text } = event;
      if (stream === "stdout" && hidesStatistics.hides(keyOf(event), text)) return;
      line(jobId, `${targetId === "" ? "" : `${targetId} `}${stream === "stderr" ? "!" : "|"} ${text}`);
    }),
    events.on("action:progress", (event) =>
      setProgress(progressLine(`${event.jobId} ${nameOf(event)}`, event.progress)),
    ),
    events.on("action:finished", (event) => {
      const { jobId, outcome, startedAt, at } = event;
      setProgress("");
      line(jobId, `${nameOf(event)}: ${describeAction(outcome)} in ${formatDuration(at - startedAt)}`);
    }),
    events.on("action:retrying", (event) =>
      line(event.jobId, `${nameOf(event)}: again in ${formatDuration(event.delayMs)}`),
    ),
    events.on("target:result", ({ jobId }) => void withTargets.add(jobId)),
    events.on("job:finished", ({ jobId, outcome }) =>
      line(jobId, withTargets.delete(jobId) ? describeJob(outcome) : describeEnd(outcome)),
    ),
  ];
  return () => {
    setProgress("");
    for (const stop of stops) stop();
  };
}

function keyOf({ jobId, actionId, targetId }: { jobId: string; actionId: string; targetId: string }): string {
  return JSON.stringify([jobId, actionId, targetId]);
}

function nameOf({ actionId, targetId }: { actionId: string; targetId: string }): string {
  return targetId === "" ? actionId : `${actionId} to ${targetId}`;
}

function describeAction(outcome: ActionOutcome): string {
  switch (outcome.kind) {
    case "ok":
      return `ok${describeStats(outcome.report.stats)}`;
    case "warning":
      return `warning: ${outcome.message}${describeStats(outcome.report.stats)}`;
    case "failed":
      return `FAILED: ${outcome.message}`;
    case "cancelled":
      return `cancelled: ${outcome.message}`;
  }
}

function describeStats(stats: TransferStats | null): string {
  if (stats === null || stats.filesTransferred === null) return "";
  return `, ${stats.filesTransferred} files, ${formatBytes(stats.transferredBytes ?? 0)}`;
}

/** What the action's own line has said is not said again. */
function describeEnd(outcome: JobOutcome): string {
  return outcome.kind === "failed" && outcome.actionId !== null
    ? `FAILED by ${outcome.actionId}`
    : describeJob(outcome);
}

export function describeJob(outcome: JobOutcome): string {
  return outcome.kind === "ok" ? "ok" : `${outcome.kind === "failed" ? "FAILED" : outcome.kind}: ${outcome.message}`;
}

function progressLine(label: string, progress: TransferProgress): string {
  const full = Math.round((Math.min(progress.percent, 100) / 100) * barWidth);
  const bar = "#".repeat(full).padEnd(barWidth, ".");
  const percent = `${progress.percent}%`.padStart(4);
  return `${label} [${bar}] ${percent} ${formatBytes(progress.bytes)} ${formatBytes(progress.bytesPerSecond)}/s`;
}
