import type { CancelTimer } from "../../base/clock.ts";
import { lockFields } from "../lock-fields.ts";
import type { LockDeps } from "../claim/claim-scope.ts";
import { isGone, releaseLocks, type TakenLock } from "../release-locks.ts";

/** A lock that is to be given back later, and whose it was. */
export interface Orphan {
  readonly lock: TakenLock;
  readonly jobId: string;
  readonly runId: string;
}

/** Goes on trying to give locks back that could not be given back in time, or that may still appear. */
export interface OrphanReaper {
  add(orphan: Orphan): void;
  /** Somebody waits for a lock of this token: if it is one of these, its host answers again, so it is tried at once. */
  sawToken(token: string): void;
  /** Gives up; what is left is reported. */
  close(): void;
}

/**
 * A claim without an answer may be carried out late, by a server that was stopped and goes on. Nobody
 * would ever remove such a file, so its token is released again and again for a day.
 */
export function createOrphanReaper(deps: LockDeps): OrphanReaper {
  const { clock, timings, log, events } = deps;
  const orphans = new Map<Orphan, number>();
  let cancelTimer: CancelTimer | undefined;
  let closed = false;
  let reaping = false;

  const arm = () => {
    if (cancelTimer !== undefined || closed || orphans.size === 0) return;
    cancelTimer = clock.setTimer(timings.reapEveryMs, () => void reap());
  };
  const reap = async () => {
    reaping = true;
    const due = [...orphans.keys()];
    const outcomes = await releaseLocks(
      due.map(({ lock }) => lock),
      deps,
    );
    due.forEach((orphan, index) => settle(orphan, outcomes[index]?.kind ?? "stuck"));
    reaping = false;
    cancelTimer = undefined;
    arm();
  };
  const settle = (orphan: Orphan, outcome: "released" | "absent" | "lost" | "stuck") => {
    const { lock, jobId, runId } = orphan;
    const over = clock.monotonic() - (orphans.get(orphan) ?? 0) > timings.reapForMs;
    const gone = isGone(lock, outcome);
    if (gone) {
      const place = lock.target.place;
      log.info({ ...lockFields({ jobId, runId }, place, lock.token), outcome }, "left-over lock is gone");
      if (lock.certain) events.emit("lock:released", { jobId, runId, place, token: lock.token, at: clock.now() });
    }
    if (gone || over) orphans.delete(orphan);
    if (gone) deps.journal?.gone(lock.token, lock.target.key);
    if (over && !gone && lock.certain) report(orphan);
  };
  const report = ({ lock, jobId, runId }: Orphan) => {
    const fields = lockFields({ jobId, runId }, lock.target.place, lock.token);
    log.error(fields, "lock was left behind: look at the file and remove it if it carries this token");
  };

  return {
    add: (orphan) => {
      orphans.set(orphan, clock.monotonic());
      if (closed) report(orphan);
      arm();
    },
    sawToken: (token) => {
      if (reaping || closed || ![...orphans.keys()].some(({ lock }) => lock.token === token)) return;
      cancelTimer?.();
      cancelTimer = clock.setTimer(0, () => void reap());
    },
    close: () => {
      closed = true;
      cancelTimer?.();
      for (const orphan of orphans.keys()) if (orphan.lock.certain) report(orphan);
      orphans.clear();
    },
  };
}
