import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { listSome } from "./list-some.ts";

/** They come often, thousands in a second, and change nothing in that line. */
const silent: ReadonlySet<keyof DirectorEvents> = new Set(["action:output", "action:progress", "lock:beat"]);

/**
 * Keeps what the director does in one line for `systemctl status`: what runs, what waits for the locks of
 * others, how many runs wait for their turn, and when a schedule is due next.
 */
export function followStatus(
  events: Emitter<DirectorEvents>,
  onChange: (text: string) => void,
): { text(): string; stop(): void } {
  const queued = new Set<string>();
  /** The jobs that have begun; true: it waits for a lock. Several runs never share a job. */
  const jobs = new Map<string, boolean>();
  const next = new Map<string, number | null>();
  /** A schedule that has left the configuration says nothing more. */
  const dropPast = (now: number): void => {
    for (const [key, at] of next) if (at !== null && at < now) next.delete(key);
  };
  let shown = "";
  const text = () => describe({ queued: queued.size, jobs, next: soonest(next) });
  const told = (): void => {
    const now = text();
    if (now === shown) return;
    shown = now;
    onChange(now);
  };
  const unsubscribe = [
    events.on("run:queued", ({ runId }) => void queued.add(runId)),
    events.on("run:started", ({ runId }) => void queued.delete(runId)),
    events.on("run:finished", ({ runId, finishedAt }) => {
      queued.delete(runId);
      dropPast(finishedAt);
    }),
    events.on("job:started", ({ jobId }) => void jobs.set(jobId, false)),
    events.on("job:blocked", ({ jobId }) => void jobs.set(jobId, true)),
    events.on("job:unblocked", ({ jobId }) => void jobs.set(jobId, false)),
    events.on("job:finished", ({ jobId }) => void jobs.delete(jobId)),
    events.on("schedule:next", ({ jobs: of, next: at }) => {
      // After a reload another set of jobs may share the schedule.
      for (const key of next.keys()) if (key.split(" ").some((job) => of.includes(job))) next.delete(key);
      next.set(of.join(" "), at);
    }),
    events.on("config:reload", ({ at }) => dropPast(at)),
    events.onAny((name) => {
      if (!silent.has(name)) told();
    }),
  ];
  return { text, stop: () => unsubscribe.forEach((end) => end()) };
}

function describe(of: {
  queued: number;
  jobs: ReadonlyMap<string, boolean>;
  next: { jobs: string; at: number } | undefined;
}): string {
  const running = [...of.jobs].flatMap(([id, waits]) => (waits ? [] : [id]));
  const waiting = [...of.jobs].flatMap(([id, waits]) => (waits ? [id] : []));
  const parts = [
    ...(of.jobs.size === 0 ? ["idle"] : []),
    ...(running.length === 0 ? [] : [`running: ${listSome(running)}`]),
    ...(waiting.length === 0 ? [] : [`waiting for locks: ${listSome(waiting)}`]),
    ...(of.queued === 0 ? [] : [`queued: ${of.queued}`]),
    ...(of.next === undefined ? [] : [`next: ${listSome(of.next.jobs.split(" "))} at ${minuteOf(of.next.at)}`]),
  ];
  return parts.join("; ");
}

function soonest(next: ReadonlyMap<string, number | null>): { jobs: string; at: number } | undefined {
  const times = [...next].flatMap(([jobs, at]) => (at === null ? [] : [{ jobs, at }]));
  return times.toSorted((one, other) => one.at - other.at)[0];
}

function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
