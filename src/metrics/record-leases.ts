import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { LockPlace } from "../model/run.ts";
import type { MetricSet } from "./metrics.ts";

/** Positions are the values of `rsyncdirector_lock_state`: never reorder. */
const leaseStates = ["none", "claimed", "held", "suspect", "lost"] as const;
type LeaseState = (typeof leaseStates)[number];

interface Lease {
  readonly jobId: string;
  state: LeaseState;
  /** Wall time of the last confirmed sign of life. */
  beatAt: number;
}

type LockEvent = { jobId: string; place: LockPlace; token: string; at: number };

export interface LeaseRecorder {
  /** Ages grow by themselves: to be called before each scrape. `now` is wall time. */
  refresh(now: number): void;
  /** A job that left the configuration has no ages any more. */
  forget(jobId: string): void;
  stop(): void;
}

/** Feeds the metrics about how the locks of jobs live, and what is in their way. */
export function recordLeases(options: {
  events: Emitter<DirectorEvents>;
  set: MetricSet;
  isKnown: (jobId: string) => boolean;
}): LeaseRecorder {
  const { events, set, isKnown } = options;
  const leases = new Map<string, Lease>();
  /** By job, when the oldest foreign lock in its way was made. */
  const foreign = new Map<string, number>();
  /** By job, since when it waits. */
  const waits = new Map<string, number>();
  /** Runs of jobs that have begun and not ended. */
  const open = new Set<string>();

  const leasesOf = (jobId: string) => [...leases.values()].filter((lease) => lease.jobId === jobId);
  const showState = (jobId: string) => {
    const worst = Math.max(0, ...leasesOf(jobId).map(({ state }) => leaseStates.indexOf(state)));
    set.lockState.set({ job_id: jobId }, worst);
  };
  const change = (event: LockEvent, state: LeaseState | undefined, beatAt?: number) => {
    const { jobId, place, token } = event;
    if (!isKnown(jobId)) return;
    const key = JSON.stringify([place.host, place.path, token]);
    const lease = leases.get(key) ?? { jobId, state: "none", beatAt: event.at };
    const next = { jobId, state: state ?? lease.state, beatAt: beatAt ?? lease.beatAt };
    if (next.state === "none") leases.delete(key);
    else leases.set(key, next);
    showState(jobId);
  };
  const endWait = ({ jobId }: { jobId: string }) => {
    foreign.delete(jobId);
    waits.delete(jobId);
  };
  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;
  const count = (metric: "lockSuspect" | "lockLost" | "lockBroken" | "lockSpared", { jobId }: { jobId: string }) => {
    if (isKnown(jobId)) set[metric].inc({ job_id: jobId });
  };
  /** A lock that is somebody else's by now is never released: it is forgotten with the job that lost it. */
  const forgetLost = (jobId: string) => {
    for (const [key, lease] of leases) if (lease.jobId === jobId && lease.state === "lost") leases.delete(key);
    if (isKnown(jobId)) showState(jobId);
  };

  const unsubscribe = [
    events.on("lock:acquired", (event) => change(event, "claimed", event.at)),
    events.on("lock:held", (event) => change(event, "held", event.at)),
    events.on("lock:beat", (event) => change(event, undefined, event.at)),
    events.on("job:started", (event) => void open.add(keyOf(event))),
    events.on("lock:suspect", (event) => {
      change(event, "suspect");
      count("lockSuspect", event);
    }),
    events.on("lock:confirmed", (event) => change(event, "held")),
    events.on("lock:lost", (event) => {
      change(event, "lost");
      count("lockLost", event);
      // Found out when it was given back in the background.
      if (!open.has(keyOf(event))) forgetLost(event.jobId);
    }),
    events.on("lock:withdrawn", (event) => change(event, "none")),
    events.on("lock:released", (event) => change(event, "none")),
    events.on("lock:broken", (event) => count("lockBroken", event)),
    events.on("lock:spared", (event) => count("lockSpared", event)),
    events.on("job:blocked", ({ jobId, at }) => void waits.set(jobId, waits.get(jobId) ?? at)),
    events.on("lock:foreign", ({ jobId, ageSeconds, at }) => {
      const since = at - (Number.isFinite(ageSeconds) ? ageSeconds * 1000 : 0);
      foreign.set(jobId, Math.min(foreign.get(jobId) ?? Infinity, since));
    }),
    events.on("job:unblocked", endWait),
    events.on("job:finished", (event) => {
      endWait(event);
      open.delete(keyOf(event));
      forgetLost(event.jobId);
    }),
  ];
  const aged = new Set<string>();
  return {
    refresh: (now) => {
      const ids = new Set([...[...leases.values()].map(({ jobId }) => jobId), ...foreign.keys(), ...waits.keys()]);
      for (const jobId of [...ids, ...aged]) {
        if (!isKnown(jobId)) continue;
        const beats = leasesOf(jobId).map(({ beatAt }) => now - beatAt);
        set.lockHeartbeatAge.set({ job_id: jobId }, Math.max(0, ...beats) / 1000);
        set.lockForeignAge.set({ job_id: jobId }, Math.max(0, now - (foreign.get(jobId) ?? now)) / 1000);
        set.waiting.set({ job_id: jobId }, Math.max(0, now - (waits.get(jobId) ?? now)) / 1000);
      }
      // Those that have none any more are set to 0 once.
      aged.clear();
      for (const jobId of ids) aged.add(jobId);
    },
    forget: (jobId) => {
      for (const [key, lease] of leases) if (lease.jobId === jobId) leases.delete(key);
      endWait({ jobId });
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}
