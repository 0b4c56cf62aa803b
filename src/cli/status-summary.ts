import { describeClockDoubt } from "../model/describe.ts";
import type { JobStatus } from "../model/status.ts";
import { formatTime } from "./output.ts";
import type { StatusReport } from "./status-report.ts";

/** `notes`: what else somebody has to know before they trust the rest. */
export interface StatusSummary {
  readonly headline: string;
  readonly notes: readonly string[];
  /** The director runs, and nothing is known to be stale. */
  readonly isWell: boolean;
}

/** The whole status in one sentence: are the copies fresh, what runs, what waits. */
export function summarize(report: StatusReport): StatusSummary {
  const { rsyncId, hostname, jobs, director, directorDetail, history, lastReload, clockDoubt } = report;
  const bad = describeBad(jobs);
  const name = hostname === undefined ? rsyncId : `${rsyncId} on ${hostname}`;
  const parts = [bad ?? describeGood(jobs), ...describeActivity(jobs)];
  return {
    headline: `${name}: ${parts.join("; ")}`,
    notes: [
      ...(directorDetail === null ? [] : [directorDetail]),
      ...(director === "running" ? [] : ["What follows is what the history says."]),
      ...(history.ok ? [] : [`the history says nothing: ${history.detail}`]),
      ...(clockDoubt === undefined || clockDoubt === null ? [] : [describeClockDoubt(clockDoubt, formatTime)]),
      ...(lastReload === undefined || lastReload === null || lastReload.ok
        ? []
        : [
            `the configuration was changed and refused at ${formatTime(lastReload.at)}; the one before is in use: ${lastReload.message}`,
          ]),
    ],
    isWell: bad === undefined && director === "running" && history.ok,
  };
}

function describeBad(jobs: readonly JobStatus[]): string | undefined {
  const enabled = jobs.filter((job) => job.enabled);
  const having = (freshness: JobStatus["freshness"]) => enabled.filter((job) => job.freshness === freshness);
  const parts = [
    say(having("stale"), (names, many) => `${names} ${many ? "are" : "is"} STALE`),
    say(having("never"), (names, many) => `${names} ${many ? "have" : "has"} NEVER succeeded`),
    say(having("unknown"), (names, many) => `UNKNOWN how fresh ${names} ${many ? "are" : "is"}`),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(", ");
}

function describeGood(jobs: readonly JobStatus[]): string {
  const enabled = jobs.filter((job) => job.enabled);
  const measured = enabled.filter(({ freshness }) => freshness === "fresh");
  if (enabled.length === 0) return "no job is enabled";
  if (measured.length === 0) return "no job has a schedule or a watch to be fresh or stale against";
  if (measured.length === 1) return `${measured[0]?.jobId ?? ""} is fresh`;
  return measured.length === enabled.length
    ? `all ${measured.length} jobs are fresh`
    : `the ${measured.length} jobs that have a schedule are fresh`;
}

function describeActivity(jobs: readonly JobStatus[]): string[] {
  const doing = (activity: JobStatus["activity"]) => jobs.filter((job) => job.activity === activity);
  const verb = (one: string, several: string) => (names: string, many: boolean) => `${names} ${many ? several : one}`;
  const active = [
    say(doing("running"), verb("runs", "run")),
    say(doing("waiting"), verb("waits for a lock", "wait for locks")),
    say(doing("queued"), verb("is queued", "are queued")),
  ].filter((part) => part !== undefined);
  const paused = say(
    jobs.filter((job) => job.paused !== null),
    verb("is paused", "are paused"),
  );
  return [...(active.length === 0 ? ["nothing runs"] : [active.join(", ")]), ...(paused === undefined ? [] : [paused])];
}

/** Names at most three of them. */
function say(jobs: readonly JobStatus[], words: (names: string, many: boolean) => string): string | undefined {
  if (jobs.length === 0) return undefined;
  const names = jobs.slice(0, 3).map(({ jobId }) => jobId);
  if (jobs.length > 3) return words(`${names.join(", ")} and ${jobs.length - 3} more`, true);
  return words(
    names.length === 1 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`,
    names.length > 1,
  );
}
