import { formatDuration } from "../base/duration.ts";
import { describeLockLimits } from "../model/describe.ts";
import type { JobStatus, TargetStatus } from "../model/status.ts";
import { displayWidth } from "./display-width.ts";
import { formatPlace, formatTime, printable } from "./output.ts";
import { formatProgress } from "./progress-bar.ts";
import { age, paintFreshness, type StatusLayout } from "./status-report.ts";
import { wrapText } from "./wrap-text.ts";

/** What there is to say about a job besides its line in the table; most have nothing. */
export function describeJobDetails(job: JobStatus, layout: StatusLayout): string[] {
  const { paint } = layout;
  return [
    ...job.actions.flatMap((action) => describeAction(action, layout)),
    ...wrapped(describeWait(job, layout), layout).map(paint.warn),
    ...wrapped(describePause(job, layout), layout).map(paint.warn),
    ...(job.targets.length > 1 ? describeTargets(job, layout) : []),
    ...(job.targets.length === 1
      ? job.targets.flatMap((target) => wrapped(describePending(target, layout), layout))
      : []),
    ...wrapped(describeFailure(job), layout).map(paint.bad),
    ...wrapped(job.watch?.degraded ? `it may miss changes: ${job.watch.degraded}` : "", layout).map(paint.warn),
    ...describeLocks(job, layout),
    ...describeLockLimits(job).flatMap((limit) => wrapped(limit, layout).map(paint.warn)),
  ];
}

const indent = "  ";

function wrapped(text: string, { columns }: StatusLayout): string[] {
  return text === "" ? [] : wrapText(printable(text), { width: columns, first: indent, rest: `${indent}${indent}` });
}

function describeAction(action: JobStatus["actions"][number], layout: StatusLayout): string[] {
  const { now, columns } = layout;
  const { actionId, targetId, attempt, startedAt, progress, millisecondsLeft } = action;
  const name = `${actionId}${targetId === "" ? "" : ` to ${targetId}`}${attempt > 1 ? `, try ${attempt}` : ""}`;
  if (progress === null) return wrapped(`${name} for ${age(startedAt, now)}`, layout);
  const width = Math.min(columns, 80);
  return [formatProgress(indent + printable(name), progress, { millisecondsLeft, width })];
}

function describeWait({ waitingFor }: JobStatus, { now }: StatusLayout): string {
  if (waitingFor === null) return "";
  const { place, state, detail, owner, since } = waitingFor;
  const who = detail !== "" ? detail : owner === null ? "" : `held by ${owner}`;
  const unknown = state === "unknown" ? "UNKNOWN whether it is free, which counts as locked: " : "";
  return `waits for ${formatPlace(place)} since ${formatTime(since)} (${age(since, now)}): ${unknown}${who}`;
}

function describePause({ paused }: JobStatus, { now }: StatusLayout): string {
  if (paused === null) return "";
  const { until, by, reason, since } = paused;
  const end =
    until === null ? "until it is resumed" : `until ${formatTime(until)} (${formatDuration(Math.max(0, until - now))})`;
  return `paused by ${by} since ${formatTime(since)}, ${end}${reason === null ? "" : `: ${reason}`}`;
}

/** One line for each, with the names in one column. */
function describeTargets({ targets }: JobStatus, layout: StatusLayout): string[] {
  const { now, paint, columns } = layout;
  const widest = Math.max(...targets.map(({ targetId }) => targetId.length));
  return targets.flatMap((target) => {
    const { targetId, freshness, lastOutcome, lastSuccessAt } = target;
    const parts = [
      lastSuccessAt === null ? "never succeeded" : `last success ${age(lastSuccessAt, now)} ago`,
      ...(lastOutcome === null || lastOutcome === "ok" ? [] : [`last ${lastOutcome}`]),
      describePending(target, layout),
    ].filter((part) => part !== "");
    const label = paintFreshness(freshness, paint);
    const first = `${indent}${printable(targetId).padEnd(widest)}  ${label}${" ".repeat(Math.max(2, 9 - displayWidth(label)))}`;
    return wrapText(printable(parts.join(", ")), { width: columns, first, rest: `${indent}${indent}` });
  });
}

function describePending({ pending }: Pick<TargetStatus, "pending">, { now }: Pick<StatusLayout, "now">): string {
  if (pending === null) return "";
  const what =
    pending.files === null
      ? "a complete sync is due"
      : `${pending.files} change${pending.files === 1 ? "" : "s"} pending`;
  return `${what} for ${age(pending.oldestAt, now)}`;
}

/** Why the last run was no success, and where more is to be read. */
function describeFailure({ lastRun }: JobStatus): string {
  if (lastRun === null || lastRun.outcome === "ok" || lastRun.message === null) return "";
  return `last run: ${lastRun.message} (rsyncdirector history ${lastRun.runId})`;
}

/** Only locks that need a look: held ones are as they should be. */
function describeLocks({ locks }: JobStatus, layout: StatusLayout): string[] {
  return locks
    .filter(({ state }) => state === "suspect" || state === "stuck")
    .flatMap(({ place, state, since }) => {
      const what = state === "suspect" ? "cannot be confirmed" : "could not be given back";
      return wrapped(`its lock ${formatPlace(place)} ${what} since ${formatTime(since)}`, layout).map(layout.paint.bad);
    });
}
