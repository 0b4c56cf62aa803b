import { formatDuration } from "../base/duration.ts";
import type { Activity, Explanation } from "../daemon/inspect/explain.ts";
import type { LockExplanation } from "../daemon/inspect/explain-locks.ts";
import { formatLock } from "./explain-locks-view.ts";
import { formatJson, formatPlace, formatTime, printable } from "./output.ts";

/** First the answer in one sentence, then what it rests on. `now` is wall time. */
export function formatExplanation(explanation: Explanation, now: number): string {
  const { director, locks, last, otherRuns } = explanation;
  const facts = [
    ["director", describeDirector(director)],
    ["schedule", describeSchedule(explanation, now)],
    ...(explanation.watches.length === 0 ? [] : [["watches", explanation.watches.join(", ")]]),
    ...describePause(explanation, now),
    ...describePending(explanation, now),
    ...(last === null ? [] : [["last run", `${last.outcome}, ${last.runId} of ${formatTime(last.startedAt)}`]]),
    ...otherRuns.map(({ runId, startedAt, jobs }) => [
      "meanwhile",
      `run ${runId} works on ${jobs.join(", ")} since ${formatTime(startedAt)}`,
    ]),
    ...describeWait(explanation, now),
  ];
  const head = [
    `${explanation.job}: ${answer(explanation, now)}`,
    ...facts.map(([name = "", text = ""]) => `  ${name.padEnd(9)} ${text}`),
  ];
  const groups = [
    section("In the way", locks.filter(isInTheWay), now),
    section(
      "Its own",
      locks.filter(({ own }) => own),
      now,
    ),
    section(
      "Free",
      locks.filter(({ state }) => state === "free"),
      now,
    ),
  ];
  return printable([head.join("\n"), ...groups.filter((group) => group !== "")].join("\n\n") + "\n");
}

/** `answer` is the sentence that people get. */
export function explanationAsJson(explanation: Explanation, now: number): string {
  return formatJson({ answer: answer(explanation, now), ...explanation });
}

/** Locked by somebody else, or UNKNOWN. */
function isInTheWay({ state, own }: LockExplanation): boolean {
  return state !== "free" && !own;
}

function section(title: string, locks: readonly LockExplanation[], now: number): string {
  if (locks.length === 0) return "";
  return [title, ...locks.map((lock) => formatLock(lock, now))].join("\n");
}

function answer(explanation: Explanation, now: number): string {
  const { activity, director } = explanation;
  const isWork = activity.kind === "waits" || activity.kind === "runs" || activity.kind === "next";
  if (isWork) return describeActivity(activity, now) + inItsWayNow(explanation);
  const obstacles = wouldWait(explanation);
  if (!explanation.enabled) return "is disabled (enabled: false); no schedule, no change and no signal starts it";
  if (director.state === "stopped") {
    return `no director runs for this configuration, so that nothing starts it: systemctl start rsyncdirector@${explanation.rsyncId}, or rsyncdirector run`;
  }
  if (activity.kind === "unknown") return `UNKNOWN whether it runs: ${activity.detail}`;
  if (explanation.paused !== null) return "is paused; no schedule, no change and no request starts it";
  const waiting = describeIdle(explanation, now);
  const unsure = director.state === "unknown" ? `; UNKNOWN whether a director runs: ${director.detail}` : "";
  return `${waiting}${obstacles}${unsure}`;
}

function describeActivity(activity: Exclude<Activity, { kind: "idle" | "unknown" }>, now: number): string {
  switch (activity.kind) {
    case "waits": {
      const { sinceAt: since, place } = activity.wait;
      return `waits for ${place === null ? "a lock" : formatPlace(place)} since ${formatTime(since)} (${age(since, now)})`;
    }
    case "runs":
      return `runs since ${formatTime(activity.startedAt)} (${age(activity.startedAt, now)}), in run ${activity.runId}`;
    case "next": {
      const { current, runId } = activity;
      const busy = current.length === 0 ? "has not come to it yet" : `works on ${current.join(", ")} first`;
      return `waits for its turn: run ${runId} ${busy}`;
    }
  }
}

/** The director looks from time to time; what is free now it will find free at its next look. */
function inItsWayNow({ activity, locks }: Explanation): string {
  if (activity.kind !== "waits" || locks.some(isInTheWay)) return "";
  return "; just now everything is free, and it goes on at its next look";
}

function describeIdle({ nextAt, schedules, watches, otherRuns }: Explanation, now: number): string {
  const starts = [
    ...(watches.length === 0 ? [] : ["it watches, and runs when something changes"]),
    ...(schedules.length > 0 && nextAt === null ? ["its schedule never fires"] : []),
    ...(nextAt === null ? [] : [`its schedule starts it at ${formatTime(nextAt)}, in ${formatDuration(nextAt - now)}`]),
  ];
  const next =
    starts.length === 0
      ? "it has no schedule, and runs only when it is asked for (SIGHUP, rsyncdirector run)"
      : starts.join("; ");
  const busy = otherRuns.length === 0 ? "" : "; a request for it would come after the run that is under way";
  return `does not run: ${next}${busy}`;
}

function wouldWait({ locks }: Explanation): string {
  const places = locks.filter(isInTheWay).map(({ place }) => formatPlace(place));
  return places.length === 0 ? "" : `. If it were started now, it would wait for ${places.join(", ")}`;
}

function describeDirector(director: Explanation["director"]): string {
  switch (director.state) {
    case "running":
      return director.pid === null ? "runs" : `runs, process ${director.pid}`;
    case "stopped":
      return "does not run";
    case "unknown":
      return `UNKNOWN: ${director.detail}`;
  }
}

function describeSchedule({ schedules, nextAt, enabled }: Explanation, now: number): string {
  if (!enabled) return "none, because it is disabled";
  if (schedules.length === 0) return "none";
  const next = nextAt === null ? "never" : `${formatTime(nextAt)} (in ${formatDuration(nextAt - now)})`;
  return `${schedules.join(" | ")}; next ${next}`;
}

function describePause({ paused, job }: Explanation, now: number): [name: string, text: string][] {
  if (paused === null) return [];
  const { by, since, until, reason } = paused;
  const end =
    until === null ? `until: rsyncdirector resume ${job}` : `until ${formatTime(until)} (in ${age(now, until)})`;
  return [["paused", `by ${by} since ${formatTime(since)}, ${end}${reason === null ? "" : `: ${reason}`}`]];
}

/** What each of its targets still lacks, of a job that watches. */
function describePending({ pending }: Explanation, now: number): [name: string, text: string][] {
  return pending.map(({ actionId, targetId, files, oldestAt }) => {
    const what = files === null ? "a complete sync is due" : `${files} change${files === 1 ? "" : "s"} pending`;
    return ["lacks", `${targetId}: ${what} since ${formatTime(oldestAt)} (${age(oldestAt, now)}), action ${actionId}`];
  });
}

function describeWait({ activity, spared }: Explanation, now: number): [name: string, text: string][] {
  if (activity.kind !== "waits") return [];
  const { sinceAt, because, until } = activity.wait;
  const lines: [name: string, text: string][] = [
    ["waits", `since ${formatTime(sinceAt)}, in run ${activity.runId}: ${because}`],
    ["until", describeEnd(until, now)],
  ];
  if (spared === null) return lines;
  return [...lines, ["stale", `${formatPlace(spared.place)} looks stale and is not broken: ${spared.detail ?? ""}`]];
}

function describeEnd(until: (Activity & { kind: "waits" })["wait"]["until"], now: number): string {
  if (until === null) return "it is free, however long that takes: there is no timeout";
  const when = `${formatTime(until.at)} (in ${formatDuration(Math.max(0, until.at - now))})`;
  if (until.key === "jobs.timeout") return `${when} at the latest, when the timeout of the whole job ends it: it fails`;
  return `${when} at the latest; then the job ${until.means === "fail" ? "fails" : "is skipped"} (on_timeout: ${until.means})`;
}

function age(since: number, now: number): string {
  return formatDuration(Math.max(0, now - since));
}
