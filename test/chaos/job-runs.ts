import type { History, HistoryJob } from "./history.ts";
import { type LockLife, lockLives } from "./lock-lives.ts";

/** A job that had all its locks and could begin to write. */
export interface JobRun {
  readonly job: HistoryJob;
  readonly token: string;
  readonly proc: string;
  /** The answer to the promotion of its last lock. */
  readonly from: number;
  /** When the first of its locks was given back or lost, or its director died. */
  readonly until: number;
  readonly locks: readonly LockLife[];
}

/** All locks of one attempt carry one token. */
export function jobRuns(history: History, lives: readonly LockLife[] = lockLives(history)): JobRun[] {
  const jobs = new Map(history.setup.jobs.map((job) => [job.name, job]));
  const byToken = new Map<string, LockLife[]>();
  for (const life of lives) byToken.set(life.token, [...(byToken.get(life.token) ?? []), life]);
  return [...byToken].flatMap(([token, locks]): JobRun[] => {
    const claim = locks.find((life) => life.claim !== undefined)?.claim;
    const job = jobs.get(claim?.job ?? "");
    if (claim === undefined || job === undefined) return [];
    const promoted = job.locks.map((path) => locks.find((life) => life.path === path)?.promotion?.returned);
    if (promoted.includes(undefined)) return [];
    const from = Math.max(...promoted.map((returned) => returned ?? Infinity));
    const until = Math.min(...locks.map(({ ownedUntil }) => ownedUntil));
    return [{ job, token, proc: claim.proc, from, until, locks }];
  });
}
