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
  const clearForeign = ({ jobId }: { jobId: string }) => void foreign.delete(jobId);

  const unsubscribe = [
    events.on("lock:acquired", (event) => change(event, "claimed", event.at)),
    events.on("lock:held", (event) => change(event, "held", event.at)),
    events.on("lock:beat", (event) => change(event, undefined, event.at)),
    events.on("lock:suspect", (event) => change(event, "suspect")),
    events.on("lock:confirmed", (event) => change(event, "held")),
    events.on("lock:lost", (event) => {
      change(event, "lost");
      if (isKnown(event.jobId)) set.lockLost.inc({ job_id: event.jobId });
    }),
    events.on("lock:withdrawn", (event) => change(event, "none")),
    events.on("lock:released", (event) => change(event, "none")),
    events.on("lock:broken", ({ jobId }) => void (isKnown(jobId) && set.lockBroken.inc({ job_id: jobId }))),
    events.on("lock:foreign", ({ jobId, ageSeconds, at }) => {
      const since = at - (Number.isFinite(ageSeconds) ? ageSeconds * 1000 : 0);
      foreign.set(jobId, Math.min(foreign.get(jobId) ?? Infinity, since));
    }),
    events.on("job:unblocked", clearForeign),
    events.on("job:finished", clearForeign),
  ];
  const aged = new Set<string>();
  return {
    refresh: (now) => {
      const ids = new Set([...[...leases.values()].map(({ jobId }) => jobId), ...foreign.keys()]);
      for (const jobId of [...ids, ...aged]) {
        if (!isKnown(jobId)) continue;
        const beats = leasesOf(jobId).map(({ beatAt }) => now - beatAt);
        set.lockHeartbeatAge.set({ job_id: jobId }, Math.max(0, ...beats) / 1000);
        set.lockForeignAge.set({ job_id: jobId }, Math.max(0, now - (foreign.get(jobId) ?? now)) / 1000);
      }
      // Those that have none any more are set to 0 once.
      aged.clear();
      for (const jobId of ids) aged.add(jobId);
    },
    forget: (jobId) => {
      for (const [key, lease] of leases) if (lease.jobId === jobId) leases.delete(key);
      foreign.delete(jobId);
    },
    stop: () => unsubscribe.forEach((end) => end()),
  };
}
