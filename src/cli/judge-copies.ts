import { formatDuration } from "../base/duration.ts";
import type { JobStatus } from "../model/status.ts";
import type { pluginCodes } from "./exit-codes.ts";
import type { StatusReport } from "./status-report.ts";

export type PluginState = keyof typeof pluginCodes;

/** Milliseconds since the last success from which on somebody is to be told. */
export interface Thresholds {
  readonly warnMs: number;
  readonly critMs: number;
}

export interface Verdict {
  readonly state: PluginState;
  /** One line: the state, the worst first, and after a bar the ages of all for graphs. */
  readonly line: string;
}

interface Copy {
  /** `job`, or `job/target` where there are several. */
  readonly name: string;
  readonly state: PluginState;
  readonly ageMs: number | null;
  readonly text: string;
}

/** Judges copies by the age of their last success: of every target, and of jobs that have one. */
export function judgeCopies(
  { rsyncId, jobs, director, history }: Pick<StatusReport, "rsyncId" | "jobs" | "director" | "history">,
  options: { now: number; thresholds: Thresholds },
): Verdict {
  const copies = jobs.flatMap((job) => copiesOf(job, { ...options, isPastKnown: history.ok }));
  if (copies.length === 0) return verdict("unknown", "there is no enabled job to look at");
  const worst = copies.reduce((one, other) => (rank(other) > rank(one) ? other : one));
  const bad = copies.filter(({ state }) => state !== "ok").toSorted((one, other) => rank(other) - rank(one));
  const what = bad.length === 0 ? describeWell(copies) : bad.map(({ text }) => text).join(", ");
  const notes = [
    ...(director === "running"
      ? []
      : [
          {
            stopped: "no director is running",
            deaf: "a run in the foreground is under way",
            unknown: "UNKNOWN whether a director is running",
          }[director],
        ]),
    ...(history.ok ? [] : [`the history says nothing: ${history.detail}`]),
    ...jobs.filter(({ paused }) => paused !== null).map(({ jobId }) => `${jobId} is paused`),
  ];
  const data = copies.map(({ name, ageMs }) => perfdata(name, ageMs, options.thresholds)).join(" ");
  return verdict(worst.state, [`${rsyncId}: ${what}`, ...notes].join("; "), data);
}

export function verdict(state: PluginState, text: string, data = ""): Verdict {
  // A bar would begin the figures, and a second line would be for nobody.
  const plain = text.replaceAll("|", "/").replaceAll(/\s+/g, " ");
  return { state, line: `RSYNCDIRECTOR ${state.toUpperCase()} - ${plain}${data === "" ? "" : ` | ${data}`}` };
}

function copiesOf(job: JobStatus, options: { now: number; thresholds: Thresholds; isPastKnown: boolean }): Copy[] {
  if (!job.enabled) return [];
  const places =
    job.targets.length === 1
      ? [{ name: job.jobId, lastSuccessAt: job.lastSuccessAt }]
      : job.targets.map(({ targetId, lastSuccessAt }) => ({ name: `${job.jobId}/${targetId}`, lastSuccessAt }));
  return places.map(({ name, lastSuccessAt }) => judge(name, lastSuccessAt, options));
}

function judge(
  name: string,
  lastSuccessAt: number | null,
  { now, thresholds, isPastKnown }: { now: number; thresholds: Thresholds; isPastKnown: boolean },
): Copy {
  if (lastSuccessAt === null) {
    return isPastKnown
      ? { name, state: "critical", ageMs: null, text: `${name} has never succeeded` }
      : { name, state: "unknown", ageMs: null, text: `nobody can say when ${name} last succeeded` };
  }
  const ageMs = Math.max(0, now - lastSuccessAt);
  const state = ageMs > thresholds.critMs ? "critical" : ageMs > thresholds.warnMs ? "warning" : "ok";
  return { name, state, ageMs, text: `${name} last succeeded ${formatAge(ageMs)} ago` };
}

/** As plugins do it: what is known to be critical is told before what nobody knows. */
const order: readonly PluginState[] = ["ok", "warning", "unknown", "critical"];

/** Among equals the oldest is the worst. */
function rank({ state, ageMs }: Copy): number {
  return order.indexOf(state) * 1e15 + (ageMs ?? 1e14);
}

function describeWell(copies: readonly Copy[]): string {
  const oldest = copies.reduce((one, other) => ((other.ageMs ?? 0) > (one.ageMs ?? 0) ? other : one));
  return copies.length === 1 ? oldest.text : `${copies.length} copies, the oldest: ${oldest.text}`;
}

/** `'label'=value[unit];warn;crit;min`; U: there is no value. */
function perfdata(name: string, ageMs: number | null, { warnMs, critMs }: Thresholds): string {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const label = `'${name.replaceAll("'", "''").replaceAll("=", "_")}'`;
  return `${label}=${ageMs === null ? "U" : `${seconds(ageMs)}s`};${seconds(warnMs)};${seconds(critMs)};0`;
}

function formatAge(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000 || 0);
}
