import { formatDuration } from "../base/duration.ts";
import type { JobStatus } from "../model/status.ts";
import { displayWidth } from "./display-width.ts";
import { formatJson, formatTable, formatTime, printable } from "./output.ts";
import type { Paint } from "./paint.ts";
import { describeJobDetails } from "./status-details-view.ts";
import { age, paintFreshness, type StatusLayout, type StatusReport } from "./status-report.ts";
import { summarize } from "./status-summary.ts";
import { wrapText } from "./wrap-text.ts";

export function statusAsJson(report: StatusReport): string {
  return formatJson(report);
}

/** First the answer in a sentence, then one line per job with what there is to say about it below. */
export function formatStatus(report: StatusReport, layout: StatusLayout): string {
  const { columns, paint } = layout;
  const { headline, notes, isWell } = summarize(report);
  const lines = (text: string) => wrapText(printable(text), { width: columns });
  const head = lines(headline).map((line) => paint.bold(isWell ? line : paint.bad(line)));
  const notices = notes.flatMap((note) => lines(note).map(paint.warn));
  const table = report.jobs.length === 0 ? [] : ["", ...formatJobs(report, layout)];
  return `${[...head, ...notices, ...table].join("\n")}\n`;
}

const header = ["JOB", "COPIES", "NOW", "LAST RUN", "NEXT RUN"] as const;

function formatJobs(report: StatusReport, layout: StatusLayout): string[] {
  const { columns, paint } = layout;
  const rows = report.jobs.map((job) => cellsOf(job, report, layout));
  const details = report.jobs.map((job) => describeJobDetails(job, layout));
  const [title = "", ...lines] = formatTable(header, rows).trimEnd().split("\n");
  const widest = Math.max(displayWidth(title), ...lines.map(displayWidth));
  if (widest > columns) {
    return rows.flatMap((cells, index) => [...stack(cells, paint), ...(details[index] ?? [])]);
  }
  return [paint.dim(title), ...lines.flatMap((line, index) => [line, ...(details[index] ?? [])])];
}

/** One job on a narrow terminal: a cell per line. */
function stack([job = "", copies = "", ...cells]: readonly string[], paint: Paint): string[] {
  const names = header.slice(2);
  const rest = cells.flatMap((cell, index) =>
    cell === "" || cell === "-" ? [] : [`  ${paint.dim((names[index] ?? "").toLowerCase().padEnd(8))}  ${cell}`],
  );
  return [`${paint.bold(job)}  ${copies}`, ...rest];
}

function cellsOf(job: JobStatus, { director }: StatusReport, { now, paint }: StatusLayout): string[] {
  return [
    printable(job.jobId),
    paintFreshness(job.freshness, paint),
    describeNow(job, now, paint),
    describeLastRun(job, now, paint),
    describeNext(job, { now, isCertain: director === "running" }),
  ];
}

function describeNow(job: JobStatus, now: number, paint: Paint): string {
  const { activity, actions, waitingFor, paused, enabled, watch } = job;
  if (activity === "running") return paint.bold(`runs${percentOf(actions)}`);
  if (activity === "waiting")
    return paint.warn(`waits ${waitingFor === null ? "" : age(waitingFor.since, now)}`.trimEnd());
  if (activity === "queued") return "queued";
  if (!enabled) return paint.dim("disabled");
  if (paused !== null) return paint.warn("paused");
  if (watch !== null) return watch.degraded === null ? "watches" : paint.warn("watches in part");
  return "-";
}

/** Of several transfers the one that is least far. */
function percentOf(actions: JobStatus["actions"]): string {
  const percents = actions.flatMap(({ progress }) => (progress === null ? [] : [progress.percent]));
  return percents.length === 0 ? "" : ` ${Math.min(...percents)}%`;
}

function describeLastRun({ lastRun }: JobStatus, now: number, paint: Paint): string {
  if (lastRun === null) return "-";
  const { outcome, finishedAt } = lastRun;
  const text = `${outcome === "failed" ? "FAILED" : outcome} ${age(finishedAt, now)} ago`;
  if (outcome === "ok") return text;
  return outcome === "failed" ? paint.bad(text) : paint.warn(text);
}

/** In brackets where no director is there to keep it. */
function describeNext(
  { nextRunAt, paused }: JobStatus,
  { now, isCertain }: { now: number; isCertain: boolean },
): string {
  if (nextRunAt === null) return "-";
  const text = formatNext(nextRunAt, now);
  const isHeldUp = paused !== null && (paused.until === null || paused.until > nextRunAt);
  return isCertain && !isHeldUp ? text : `(${text})`;
}

/** `02:30, in 4h`; from a day on with its day. */
function formatNext(at: number, now: number): string {
  if (at <= now) return "now";
  const ahead = at - now;
  const time = formatTime(at);
  return `${formatDay(at, { ahead, date: time.slice(0, 10) })}${time.slice(11, 16)}, in ${formatDuration(ahead)}`;
}

const hour = 3_600_000;
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** None where the clock alone cannot be mistaken. */
function formatDay(at: number, { ahead, date }: { ahead: number; date: string }): string {
  if (ahead < 20 * hour) return "";
  return ahead < 6 * 24 * hour ? `${weekdays[new Date(at).getDay()]} ` : `${date} `;
}
