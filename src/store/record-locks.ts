import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { LockPlace } from "../model/run.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import { recordLockEvent, type LockEventKind, type LockEventRecord } from "./lock-events.ts";

/** What one line takes in memory, roughly. */
const rowBytes = 700;

type Facts = Partial<Pick<LockEventRecord, "token" | "owner" | "ageMs" | "detail">>;

/**
 * Writes what happens to locks to the history: who took, waited for, lost or broke what, and when. A wait
 * is told again only when something else is in the way. Returns what ends it.
 */
export function recordLocks(options: {
  events: Emitter<DirectorEvents>;
  keeper: DatabaseKeeper;
  /** Names this process, so that no two lines ever have the same mark. */
  owner: string;
}): () => void {
  const { events, keeper, owner } = options;
  let count = 0;
  /** By run and job, what was last said to be in the way. */
  const waits = new Map<string, string>();

  const write = (
    kind: LockEventKind,
    of: { runId: string; jobId: string; at: number },
    place: LockPlace | null,
    facts: Facts = {},
  ) => {
    const { runId, jobId, at } = of;
    const event = { at, kind, runId, jobId, place, token: null, owner: null, ageMs: null, detail: null, ...facts };
    const mark = `${owner}:${(count += 1)}`;
    keeper.write({ bytes: rowBytes, apply: (database) => recordLockEvent(database, mark, event) });
  };
  /** Events of the job's own locks that say no more than their name. */
  const plain = (kind: LockEventKind) => (event: DirectorEvents["lock:acquired"]) =>
    write(kind, event, event.place, { token: event.token });
  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;

  const unsubscribe = [
    events.on("job:blocked", (event) => {
      const { place, state, detail } = event;
      // A reason may count seconds; who holds a lock is told apart by numbers alone.
      const reason = state === "unknown" ? detail.replaceAll(/\d+/g, "0") : detail;
      const what = JSON.stringify([place.host, place.path, state, reason]);
      if (waits.get(keyOf(event)) === what) return;
      waits.set(keyOf(event), what);
      if (state === "held") write("waiting", event, place, { owner: detail });
      else write("waiting", event, place, { detail });
    }),
    events.on("job:unblocked", (event) => {
      waits.delete(keyOf(event));
      write("waited", event, null, { ageMs: event.waitedMs, detail: event.outcome });
    }),
    events.on("job:finished", (event) => void waits.delete(keyOf(event))),
    events.on("lock:acquired", plain("acquired")),
    events.on("lock:held", plain("held")),
    events.on("lock:released", plain("released")),
    events.on("lock:withdrawn", (event) =>
      write("withdrawn", event, event.place, { token: event.token, detail: event.because }),
    ),
    events.on("lock:suspect", ({ token, ageMs, detail, place, ...of }) =>
      write("suspect", of, place, { token, ageMs, detail }),
    ),
    events.on("lock:confirmed", ({ token, ageMs, place, ...of }) => write("confirmed", of, place, { token, ageMs })),
    events.on("lock:lost", ({ token, ageMs, place, ...of }) =>
      write("lost", of, place, { token, ageMs, detail: `${of.cause}: ${of.detail}` }),
    ),
    events.on("lock:broken", ({ token, owner: of, ageSeconds, because, observedMs, ...event }) => {
      const detail = `${because}; watched unchanged for ${Math.round(observedMs / 1000)} s`;
      write("broken", event, event.place, { token: token || null, owner: of, ageMs: ageSeconds * 1000, detail });
    }),
    events.on("lock:spared", ({ token, owner: of, ageSeconds, cause, detail, ...event }) =>
      write("spared", event, event.place, {
        ...{ token: token || null, owner: of, ageMs: ageSeconds * 1000 },
        detail: `${cause}: ${detail}`,
      }),
    ),
    events.on("lock:foreign", ({ owner: first, ageSeconds, ...event }) =>
      write("foreign", event, event.place, { owner: first.slice(0, 80), ageMs: ageSeconds * 1000 }),
    ),
    events.on("lock:stuck", ({ token, detail, ...event }) => write("stuck", event, event.place, { token, detail })),
    events.on("lock:recovered", ({ token, outcome, ...event }) =>
      write("recovered", event, event.place, { token, detail: outcome }),
    ),
  ];
  return () => unsubscribe.forEach((end) => end());
}
