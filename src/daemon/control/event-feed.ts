import type { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { redactArgv, redactText } from "../../base/redact.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { DirectorEvent } from "../../web/director-control.ts";

/** What is kept of each run for those who come later. */
const ringLimit = { events: 1000, outputBytes: 256 * 1024 };
/** Runs that have ended and can still be followed: who asked for a short one comes too late otherwise. */
const endedLimit = 8;

type Listener = (event: DirectorEvent) => void;

export interface EventFeed {
  /** As `DirectorControl.follow`. */
  follow(options: { runId?: string; jobId?: string }, listener: Listener): () => void;
  stop(): void;
}

interface Ring {
  readonly events: DirectorEvent[];
  outputBytes: number;
}

interface Follower {
  readonly listener: Listener;
  wants(event: DirectorEvent): boolean;
}

/**
 * Hands on what happens, without secrets and without whole outputs, and keeps the last thousand events of each open
 * run. A listener must return at once; one that throws is not called any more.
 */
export function createEventFeed(deps: { events: Emitter<DirectorEvents>; log: Logger }): EventFeed {
  const { events, log } = deps;
  const rings = new Map<string, Ring>();
  const ended: string[] = [];
  const followers = new Set<Follower>();

  const remember = (event: DirectorEvent) => {
    const runId = runOf(event);
    if (runId === undefined) return;
    if (event.name === "run:queued") rings.set(runId, { events: [], outputBytes: 0 });
    const ring = rings.get(runId);
    if (ring === undefined) return;
    addTo(ring, event);
    if (event.name !== "run:finished") return;
    ended.push(runId);
    for (const old of ended.splice(0, Math.max(0, ended.length - endedLimit))) rings.delete(old);
  };
  const tell = (follower: Follower, event: DirectorEvent) => {
    if (!follower.wants(event)) return;
    try {
      follower.listener(event);
    } catch (error) {
      followers.delete(follower);
      log.error({ error: describeError(error) }, "somebody who follows the events failed");
    }
  };
  const unsubscribe = events.onAny((name, payload) => {
    const event = withoutOutputs({ name, payload } as DirectorEvent);
    remember(event);
    if (followers.size === 0) return;
    const shown = withoutSecrets(event);
    for (const follower of followers) tell(follower, shown);
  });
  return {
    follow: ({ runId, jobId }, listener) => {
      const wants = (event: DirectorEvent) =>
        (runId === undefined || runOf(event) === runId) && (jobId === undefined || jobsOf(event).includes(jobId));
      const follower = { listener, wants };
      followers.add(follower);
      const past = runId === undefined ? [] : (rings.get(runId)?.events ?? []);
      for (const event of [...past]) if (followers.has(follower)) tell(follower, withoutSecrets(event));
      return () => void followers.delete(follower);
    },
    stop: () => {
      unsubscribe();
      followers.clear();
    },
  };
}

function addTo(ring: Ring, event: DirectorEvent): void {
  ring.events.push(event);
  ring.outputBytes += outputBytesOf(event);
  while (ring.events.length > ringLimit.events || ring.outputBytes > ringLimit.outputBytes) {
    const oldest = ring.events.shift();
    if (oldest === undefined) return;
    ring.outputBytes -= outputBytesOf(oldest);
  }
}

function outputBytesOf(event: DirectorEvent): number {
  return event.name === "action:output" ? Buffer.byteLength(event.payload.line) : 0;
}

function runOf({ payload }: DirectorEvent): string | undefined {
  return "runId" in payload ? payload.runId : undefined;
}

/** The jobs that an event is about. */
function jobsOf({ payload }: DirectorEvent): readonly string[] {
  if ("jobId" in payload) return [payload.jobId];
  if (!("jobs" in payload)) return [];
  return payload.jobs.map((job) => (typeof job === "string" ? job : job.jobId));
}

/** The whole output of an action is in its lines already. */
function withoutOutputs(event: DirectorEvent): DirectorEvent {
  if (event.name !== "action:finished" || event.payload.outcome.report === null) return event;
  const { outcome } = event.payload;
  const slim = { ...outcome, report: { ...outcome.report, output: "" } } as ActionOutcome;
  return { ...event, payload: { ...event.payload, outcome: slim } };
}

/** As the log and the history have it. */
function withoutSecrets(event: DirectorEvent): DirectorEvent {
  switch (event.name) {
    case "action:output":
      return { ...event, payload: { ...event.payload, line: redactText(event.payload.line) } };
    case "action:started":
      return { ...event, payload: { ...event.payload, argv: redactArgv(event.payload.argv) } };
    case "action:finished":
      return { ...event, payload: { ...event.payload, outcome: withRedactedReport(event.payload.outcome) } };
    case "action:retrying":
      return { ...event, payload: { ...event.payload, message: redactText(event.payload.message) } };
    case "target:result":
    case "job:finished":
      return { ...event, payload: { ...event.payload, outcome: redacted(event.payload.outcome) } } as DirectorEvent;
    case "run:finished": {
      const jobs = event.payload.jobs.map((job) => ({ ...job, outcome: redacted(job.outcome) }));
      return { ...event, payload: { ...event.payload, jobs } };
    }
    default:
      return event;
  }
}

type ActionOutcome = DirectorEvents["action:finished"]["outcome"];

function withRedactedReport(outcome: ActionOutcome): ActionOutcome {
  const { report } = outcome;
  const shown = report === null ? null : { ...report, argv: redactArgv(report.argv) };
  return redacted({ ...outcome, report: shown } as ActionOutcome);
}

function redacted<Outcome extends { kind: string }>(outcome: Outcome): Outcome {
  if (!("message" in outcome) || typeof outcome.message !== "string") return outcome;
  return { ...outcome, message: redactText(outcome.message) };
}
