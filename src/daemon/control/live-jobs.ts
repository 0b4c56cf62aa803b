import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { LockPlace } from "../../model/run.ts";
import type { ActiveAction, HeldLock, WaitingFor } from "../../model/status.ts";
import { millisecondsLeft } from "../../model/transfer.ts";

/** A job that runs just now. */
export interface LiveJob {
  readonly runId: string;
  readonly waitingFor: WaitingFor | null;
  readonly actions: readonly ActiveAction[];
}

export interface LiveJobs {
  /** undefined: it does not run. */
  of(jobId: string): LiveJob | undefined;
  /** Also of a job that has ended: a lock may be stuck. In the order in which they were taken. */
  locksOf(jobId: string): readonly HeldLock[];
  stop(): void;
}

interface Live {
  readonly runId: string;
  waitingFor: WaitingFor | null;
  readonly actions: Map<string, ActiveAction>;
}

type LockEvent = { jobId: string; place: LockPlace; token: string; at: number };

/** Keeps what every running job does at this moment: whom it waits for, how far its actions are, what it holds. */
export function keepLiveJobs(events: Emitter<DirectorEvents>): LiveJobs {
  const live = new Map<string, Live>();
  const locks = new Map<string, Map<string, HeldLock>>();

  /** A job runs once at a time, so its id will do; what comes late from an earlier run is not this one's. */
  const ofRun = ({ runId, jobId }: { runId: string; jobId: string }) => {
    const job = live.get(jobId);
    return job?.runId === runId ? job : undefined;
  };
  const setLock = (event: LockEvent, state: HeldLock["state"]) => {
    const { jobId, place, token, at } = event;
    const own = locks.get(jobId) ?? new Map<string, HeldLock>();
    locks.set(jobId, own);
    const key = lockKeyOf(event);
    own.set(key, { place, token, since: own.get(key)?.since ?? at, state });
  };
  const dropLock = (event: LockEvent) => {
    const own = locks.get(event.jobId);
    own?.delete(lockKeyOf(event));
    if (own?.size === 0) locks.delete(event.jobId);
  };
  const unsubscribe = [
    events.on("job:started", ({ runId, jobId }) => {
      live.set(jobId, { runId, waitingFor: null, actions: new Map() });
    }),
    events.on("job:blocked", (event) => {
      const { place, state, owner, detail, at } = event;
      const job = ofRun(event);
      if (job !== undefined) job.waitingFor = { place, state, owner, detail, since: job.waitingFor?.since ?? at };
    }),
    events.on("job:unblocked", (event) => {
      const job = ofRun(event);
      if (job !== undefined) job.waitingFor = null;
    }),
    events.on("job:finished", (event) => {
      if (ofRun(event) !== undefined) live.delete(event.jobId);
    }),
    events.on("action:started", (event) => {
      const { actionId, targetId, attempt, at: startedAt } = event;
      const action = { actionId, targetId, attempt, startedAt, progress: null, millisecondsLeft: null };
      ofRun(event)?.actions.set(actionKeyOf(event), action);
    }),
    events.on("action:progress", (event) => {
      const { progress } = event;
      const actions = ofRun(event)?.actions;
      const action = actions?.get(actionKeyOf(event));
      if (action === undefined) return;
      actions?.set(actionKeyOf(event), { ...action, progress, millisecondsLeft: millisecondsLeft(progress) });
    }),
    events.on("action:finished", (event) => void ofRun(event)?.actions.delete(actionKeyOf(event))),
    events.on("lock:acquired", (event) => setLock(event, "claimed")),
    events.on("lock:held", (event) => setLock(event, "held")),
    events.on("lock:suspect", (event) => setLock(event, "suspect")),
    events.on("lock:confirmed", (event) => setLock(event, "held")),
    events.on("lock:stuck", (event) => setLock(event, "stuck")),
    events.on("lock:lost", dropLock),
    events.on("lock:withdrawn", dropLock),
    events.on("lock:released", dropLock),
    events.on("lock:recovered", dropLock),
  ];
  return {
    of: (jobId) => {
      const job = live.get(jobId);
      return job && { runId: job.runId, waitingFor: job.waitingFor, actions: [...job.actions.values()] };
    },
    locksOf: (jobId) => [...(locks.get(jobId)?.values() ?? [])],
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

function lockKeyOf({ place, token }: { place: LockPlace; token: string }): string {
  return JSON.stringify([place.host, place.path, token]);
}

/** Of one target one try of an action runs at a time. */
function actionKeyOf({ actionId, targetId }: { actionId: string; targetId: string }): string {
  return JSON.stringify([actionId, targetId]);
}
