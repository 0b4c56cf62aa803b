import { AbortReason } from "../../base/abort.ts";
import { formatDuration } from "../../base/duration.ts";
import { safeWord } from "../../base/untrusted-text.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import type { Lease, LeaseOf } from "./lease.ts";
import { formatStatus } from "./lock-status.ts";
import type { BeatAnswer } from "../transport/lock-transport.ts";
import { describePlace } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";

interface Entry {
  readonly lock: TakenLock;
  confirmedAt: number;
  nextBeatAt: number;
  /** A beat is under way. */
  beating: boolean;
  suspect: boolean;
  lost: "taken" | "unreachable" | undefined;
}

/** `onBegin` and `onEnd` say from when to when `tick` has to be called. */
export function createLease(of: LeaseOf, deps: LockDeps, on: { begin: () => void; end: () => void }): Lease {
  const { jobId, runId, settings } = of;
  const { clock, timings, events } = deps;
  const entries: Entry[] = [];
  const lost = new AbortController();
  const ending = new AbortController();
  let lostLock: TakenLock | undefined;
  let held = false;
  let verifyUntil = 0;

  const heartbeatMs = () => (held ? settings.heartbeatMs : timings.claimHeartbeatMs);
  /** The age at which a lock counts as lost although nobody took it. */
  const deadlineMs = () => {
    if (!held) return settings.claimTtlMs / 2;
    return settings.ttlMs === 0 || settings.onUnreachable === "continue" ? Infinity : settings.renewDeadlineMs;
  };
  const ageOf = ({ confirmedAt }: Entry) => clock.monotonic() - confirmedAt;
  const fieldsOf = ({ lock }: Entry) => ({
    jobId,
    runId,
    place: lock.target.place,
    token: lock.token,
    at: clock.now(),
  });

  const lose = (entry: Entry, cause: "taken" | "unreachable", detail: string) => {
    if (entry.lost !== undefined) return;
    entry.lost = cause;
    const ageMs = ageOf(entry);
    events.emit("lock:lost", { ...fieldsOf(entry), cause, detail, ageMs });
    lostLock ??= entry.lock;
    const place = describePlace(entry.lock.target.place);
    const age = formatDuration(ageMs);
    const message =
      cause === "taken"
        ? `lock lost: ${place}: ${detail}; it was last confirmed ${age} ago`
        : `lock lost: ${place} could not be confirmed for ${age}, so that whether it is still ours is unknown: ${detail}`;
    lost.abort(new AbortReason("lock-lost", message));
  };
  const confirmEntry = (entry: Entry, at: number) => {
    const ageMs = ageOf(entry);
    entry.confirmedAt = Math.max(entry.confirmedAt, at);
    entry.nextBeatAt = entry.confirmedAt + heartbeatMs();
    if (!entry.suspect) return;
    entry.suspect = false;
    if (entry.lost === undefined) events.emit("lock:confirmed", { ...fieldsOf(entry), ageMs });
  };
  const judgeAge = (entry: Entry, detail: string) => {
    if (ageOf(entry) >= deadlineMs()) lose(entry, "unreachable", detail);
  };
  const settle = (entry: Entry, answer: BeatAnswer | undefined, startedAt: number) => {
    entry.beating = false;
    if (answer?.kind === "beaten") {
      confirmEntry(entry, startedAt);
      events.emit("lock:beat", fieldsOf(entry));
    } else if (answer?.kind === "absent") {
      lose(entry, "taken", "the file is gone");
    } else if (answer?.kind === "lost") {
      lose(entry, "taken", `the file now belongs to ${safeWord(answer.found.owner) || "somebody else"}`);
    } else {
      const detail = describeFailure(answer);
      entry.nextBeatAt = clock.monotonic() + Math.min(timings.beatRetryMs, heartbeatMs());
      if (!entry.suspect && entry.lost === undefined) {
        events.emit("lock:suspect", { ...fieldsOf(entry), ageMs: ageOf(entry), detail });
      }
      entry.suspect = true;
      judgeAge(entry, detail);
    }
  };
  const statusOf = (token: string) => {
    const progress = deps.progressOf?.(of);
    return progress === undefined ? undefined : formatStatus({ token, ...progress });
  };
  const beat = async (group: readonly Entry[]) => {
    const [first] = group;
    if (first === undefined) return;
    const startedAt = clock.monotonic();
    for (const entry of group) entry.beating = true;
    const own = group.map(({ lock: { target, token } }) => ({ path: target.path, token, status: statusOf(token) }));
    const answers = await first.lock.target.transport.beat(own, ending.signal);
    if (ending.signal.aborted) return;
    for (const [index, entry] of group.entries()) settle(entry, answers[index], startedAt);
  };
  const idle = () => entries.filter(({ beating, lost: cause }) => !beating && cause !== "taken");
  /** All locks on a host are beaten in one trip as soon as one of them is due. */
  const beatDue = (isDue: (entry: Entry) => boolean) =>
    byTransport(idle())
      .filter((group) => group.some(isDue))
      .map(beat);

  return {
    lost: lost.signal,
    get lostLock() {
      return lostLock;
    },
    add: (lock, confirmedAt) => {
      if (ending.signal.aborted) return;
      if (entries.length === 0) on.begin();
      const nextBeatAt = confirmedAt + heartbeatMs();
      entries.push({ lock, confirmedAt, nextBeatAt, beating: false, suspect: false, lost: undefined });
    },
    confirm: (lock, confirmedAt) => {
      for (const entry of entries) if (entry.lock === lock) confirmEntry(entry, confirmedAt);
    },
    hold: () => {
      held = true;
      for (const entry of entries) {
        entry.nextBeatAt = entry.confirmedAt + heartbeatMs();
        events.emit("lock:held", fieldsOf(entry));
      }
    },
    refresh: async (longestAgeMs) => {
      await Promise.all(beatDue((entry) => ageOf(entry) >= longestAgeMs));
      return entries.every((entry) => ageOf(entry) < longestAgeMs && entry.lost === undefined);
    },
    reportLost: (lock, detail) => {
      for (const entry of entries) if (entry.lock === lock) lose(entry, "taken", detail);
    },
    end: () => {
      if (ending.signal.aborted) return;
      ending.abort();
      if (entries.length > 0) on.end();
    },
    tick: (sinceLastMs) => {
      const now = clock.monotonic();
      // The machine was suspended or the process stopped: ask first, then judge by what is answered.
      const woken = sinceLastMs > 2 * heartbeatMs();
      if (woken) verifyUntil = now + timings.verifyMs;
      void Promise.all(beatDue(({ nextBeatAt }) => woken || nextBeatAt <= now));
      if (now < verifyUntil) return;
      for (const entry of entries) judgeAge(entry, "no answer");
    },
  };
}

function byTransport(entries: readonly Entry[]): Entry[][] {
  const groups = new Map<unknown, Entry[]>();
  for (const entry of entries) {
    const { transport } = entry.lock.target;
    groups.set(transport, [...(groups.get(transport) ?? []), entry]);
  }
  return [...groups.values()];
}

function describeFailure(answer: BeatAnswer | undefined): string {
  switch (answer?.kind) {
    case "busy":
      return "another operation on it does not end";
    case "error":
    case "unknown":
      return answer.detail;
    default:
      return "no answer";
  }
}
