import { formatDuration } from "../base/duration.ts";
import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionOutcome, JobOutcome, OutcomeKind, RunResult } from "../model/run.ts";
import { millisecondsLeft, type TransferStats } from "../model/transfer.ts";
import type { CommandContext, TextOutput } from "./command-context.ts";
import { createMovingLines, createStillLines } from "./moving-lines.ts";
import { formatClock, formatBytes, printable } from "./output.ts";
import { canMoveCursor, createPaint, wantsColour } from "./paint.ts";
import { formatProgress } from "./progress-bar.ts";
import { quoteWord } from "../base/shell-words.ts";
import { type SayLine, showLocks } from "./run-view-locks.ts";

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

/**
 * Prints a run as it happens: one line per event, and on a terminal below them one line for each transfer under way,
 * which moves with it. In a pipe there is nothing but whole lines. Returns a function that ends the view.
 */
export function showRun(
  events: Emitter<DirectorEvents>,
  options: { output: TextOutput; env: CommandContext["env"]; dryRun: boolean; now: () => number },
): () => void {
  const { output, env, dryRun, now } = options;
  const paint = createPaint(wantsColour(output, env));
  const lines = canMoveCursor(output, env) ? createMovingLines(output) : createStillLines(output);
  const hidesStatistics = createStatisticsFilter();
  /** Jobs with several targets: no action's own line tells how they end. */
  const withTargets = new Set<string>();

  const line: SayLine = ({ jobId, at }, text, tone) => {
    const shown = printable(text);
    const toned = tone === undefined ? shown : paint[tone](shown);
    lines.print(`${paint.dim(formatClock(at ?? now()))} ${printable(jobId)}  ${toned}`);
  };

  const stops = [
    events.on("job:started", (event) => line(event, dryRun ? "dry run: takes no locks" : "started")),
    events.on("job:slow", (event) => line(event, `still running after ${formatDuration(event.runningMs)}`, "warn")),
    ...showLocks(events, line),
    events.on("action:started", (event) => {
      hidesStatistics.begin(keyOf(event), event.argv);
      line(event, `${nameOf(event)}: ${dryRun ? "would run" : "runs"} ${event.argv.map(quoteWord).join(" ")}`);
    }),
    events.on("action:output", (event) => {
      const { jobId, targetId, stream, line: text } = event;
      if (stream === "stdout" && hidesStatistics.hides(keyOf(event), text)) return;
      line({ jobId }, `${targetId === "" ? "" : `${targetId} `}${stream === "stderr" ? "!" : "|"} ${text}`);
    }),
    events.on("action:progress", (event) => {
      const { progress } = event;
      const label = printable(`${event.jobId} ${nameOf(event)}`);
      const left = millisecondsLeft(progress);
      lines.set(keyOf(event), (width) => formatProgress(label, progress, { millisecondsLeft: left, width }));
    }),
    events.on("action:finished", (event) => {
      const { outcome, startedAt, at } = event;
      lines.set(keyOf(event), undefined);
      line(event, `${nameOf(event)}: ${describeAction(outcome)} in ${formatDuration(at - startedAt)}`, toneOf(outcome));
    }),
    events.on("action:retrying", (event) =>
      line(event, `${nameOf(event)}: again in ${formatDuration(event.delayMs)}`, "warn"),
    ),
    events.on("target:result", ({ jobId }) => void withTargets.add(jobId)),
    events.on("job:finished", (event) => {
      const { jobId, outcome, at } = event;
      line({ jobId, at }, withTargets.delete(jobId) ? describeJob(outcome) : describeEnd(outcome), toneOf(outcome));
    }),
  ];
  return () => {
    lines.clear();
    for (const stop of stops) stop();
  };
}

function toneOf({ kind }: { kind: OutcomeKind }): "good" | "warn" | "bad" {
  if (kind === "ok") return "good";
  return kind === "failed" ? "bad" : "warn";
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

function describeJob(outcome: JobOutcome): string {
  return outcome.kind === "ok" ? "ok" : `${outcome.kind === "failed" ? "FAILED" : outcome.kind}: ${outcome.message}`;
}

/** How a run ended, job by job. */
export function formatRunSummary(result: RunResult): string {
  const lines = result.jobs.map(({ jobId, outcome }) => `  ${jobId}: ${describeJob(outcome)}`);
  const took = formatDuration(result.finishedAt - result.startedAt);
  return `run ${result.runId}: ${result.outcome} in ${took}\n${lines.join("\n")}\n`;
}
