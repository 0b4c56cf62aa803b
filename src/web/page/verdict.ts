import { describeClockDoubt, formatPlace } from "../../model/describe.ts";
import type { InstanceStatus, JobStatus, WaitingFor } from "../../model/status.ts";
import { sortJobs, troublesOf } from "../../model/job-order.ts";
import { exactTime, joinWords, plural, relative, roughDuration, type Tone } from "./words.ts";

/** Whether all is well, in one sentence; and what else an administrator should know, one sentence each. */
export interface Verdict {
  readonly tone: Tone;
  readonly sentence: string;
  readonly notes: readonly string[];
}

/** So many jobs are named; of the others it says how many there are. */
const namedJobs = 2;

/** UNKNOWN is never good: a history that does not work says so before anything else. */
export function judge(status: InstanceStatus): Verdict {
  const notes = notesOf(status);
  const jobs = status.jobs.filter(({ enabled }) => enabled);
  if (!status.history.ok) {
    const why = status.history.detail === "" ? "" : ` (${status.history.detail})`;
    return { tone: "bad", sentence: `Nobody can say whether the copies are fresh: the history fails${why}.`, notes };
  }
  if (jobs.length === 0) return { tone: "warn", sentence: "No job is enabled: nothing is copied.", notes };
  const troubled = sortJobs(jobs).filter((job) => troublesOf(job).length > 0);
  const measured = jobs.filter(({ freshness }) => freshness !== "unmeasured");
  const fresh = measured.filter(({ freshness }) => freshness === "fresh").length;
  const all = fresh === measured.length;
  const count =
    measured.length === 0
      ? "No schedule says how fresh the copies have to be"
      : `${all ? allOf(fresh) : `${fresh} of ${plural(measured.length, "job")}`} ${fresh === 1 ? "is" : "are"} fresh`;
  const named = troubled.slice(0, namedJobs).map((job) => `${job.jobId} ${describeTrouble(job, status.at)}`);
  const others = troubled.length - named.length;
  const more = others === 0 ? [] : [`${plural(others, "more job")} ${others === 1 ? "needs" : "need"} a look`];
  const sentence = `${[count, ...named, ...more].join("; ")}.`.replace(/….$/, "…");
  if (!all) return { tone: troubled.some(isBad) ? "bad" : "warn", sentence, notes };
  const isWorrying = troubled.length > 0 || status.clockDoubt !== null;
  return { tone: isWorrying ? "warn" : measured.length === 0 ? "calm" : "good", sentence, notes };
}

function isBad({ freshness }: JobStatus): boolean {
  return freshness === "stale" || freshness === "never" || freshness === "unknown";
}

function allOf(count: number): string {
  if (count === 1) return "The only measured job";
  return count === 2 ? "Both jobs" : `All ${count} jobs`;
}

/** `is stale: last success 26h ago, blocked by …`: what is wrong, and the reason as far as it is known. */
export function describeTrouble(job: JobStatus, now: number): string {
  const trouble = troublesOf(job)[0];
  const waits = job.waitingFor === null ? undefined : describeWait(job.waitingFor, now);
  const failed = job.lastRun?.outcome === "failed" ? shorten(job.lastRun.message ?? "no reason is known") : undefined;
  const running = job.activity === "running" ? "it is running now" : undefined;
  const paused = job.paused === null ? undefined : `paused by ${job.paused.by}`;
  const why = waits ?? running ?? paused ?? (failed === undefined ? undefined : `the last run failed: ${failed}`);
  const because = why === undefined ? "" : `, ${why}`;
  switch (trouble) {
    case "unknown":
      return `is unknown${because}`;
    case "never":
      return `has never been copied${because}`;
    case "stale":
      return `is stale (${staleTargets(job, now)})${because}`;
    case "failed":
      return describeFailure(job, waits ?? running, failed);
    case "lock":
      return "has a lock that is in doubt or could not be given back";
    case "watch":
      return `may miss changes: ${job.watch?.degraded ?? ""}`;
    case undefined:
    default:
      return "needs nothing";
  }
}

/** The whole message stands at the job. */
function shorten(message: string): string {
  const line = message.replaceAll(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

function describeFailure(job: JobStatus, now: string | undefined, message: string | undefined): string {
  const targets = job.targets.filter(({ lastOutcome }) => lastOutcome === "failed").map(({ targetId }) => targetId);
  const what = message ?? (job.targets.length > 1 ? `to ${joinWords(targets)}` : "no reason is known");
  return `failed last time${now === undefined ? "" : `, ${now}`}: ${what}`;
}

/** Of several targets those that are stale are named, not the job alone. */
function staleTargets(job: JobStatus, now: number): string {
  const last = (at: number | null) => (at === null ? "no success is known" : `last success ${relative(at, now)}`);
  if (job.targets.length < 2) return last(job.lastSuccessAt);
  const stale = job.targets.filter(({ freshness }) => freshness !== "fresh" && freshness !== "unmeasured");
  return stale
    .slice(0, 3)
    .map(({ targetId, lastSuccessAt }) => `${targetId}: ${last(lastSuccessAt)}`)
    .join(", ");
}

/** `blocked since 12m by HOST:PATH, held by …`. */
function describeWait({ place, state, owner, detail, since }: WaitingFor, now: number): string {
  const who =
    state === "unknown" ? `nobody can say whether it is held: ${detail}` : `held by ${owner ?? "nobody known"}`;
  return `blocked since ${roughDuration(now - since)} by ${formatPlace(place)}, ${who}`;
}

function notesOf({ jobs, lastReload, clockDoubt, at }: InstanceStatus): string[] {
  const paused = jobs.filter((job) => job.enabled && job.paused !== null).map(({ jobId }) => jobId);
  return [
    ...(clockDoubt === null ? [] : [describeClockDoubt(clockDoubt, exactTime)]),
    ...(lastReload === null || lastReload.ok
      ? []
      : [`The configuration was not taken over at ${exactTime(lastReload.at)}: ${lastReload.message}`]),
    ...(paused.length === 0 ? [] : [`Paused: ${namesOf(paused)}.`]),
    ...jobs.flatMap(({ jobId, locks }) =>
      locks
        .filter(({ state }) => state === "suspect" || state === "stuck")
        .map(
          ({ place, state, since }) =>
            `Lock ${formatPlace(place)} of ${jobId} is ${state} (taken ${relative(since, at)}).`,
        ),
    ),
  ];
}

function namesOf(names: readonly string[]): string {
  return names.length <= 5 ? joinWords(names) : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
}
