import { childController, sleep } from "../../src/base/abort.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Job } from "../../src/config/resolved.ts";
import type { JobLocks } from "../../src/lock/job-locks.ts";

/** A small generator of repeatable numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sees who writes at the same time. */
export class Witness {
  inside = 0;
  most = 0;
  /** Finished runs by job. */
  readonly done = new Map<string, number>();
  /** Runs that lost their lock. */
  lost = 0;

  enter(): void {
    this.inside += 1;
    this.most = Math.max(this.most, this.inside);
  }

  leave(): void {
    this.inside -= 1;
  }

  fewestDone(jobs: readonly Job[]): number {
    return Math.min(...jobs.map(({ id }) => this.done.get(id) ?? 0));
  }
}

/**
 * Runs a job again and again until it has succeeded `runs` times. A run whose lock is lost goes on writing
 * for the 30 s that stopping it may take, and does not count.
 */
export async function contend(
  { locks, job, runs }: { locks: JobLocks; job: Job; runs: number },
  options: { witness: Witness; clock: Clock; workMs: number; signal: AbortSignal },
): Promise<void> {
  const { witness, clock, workMs, signal } = options;
  for (let run = 1; (witness.done.get(job.id) ?? 0) < runs && !signal.aborted; run += 1) {
    const claim = await locks.claim({ job, runId: `${job.id} ${run}`, signal });
    if (claim.kind === "cancelled") return;
    if (claim.kind !== "held") throw new Error(`${job.id}: ${claim.kind}`);
    const { held } = claim;
    witness.enter();
    const work = childController(signal);
    const stop = () => work.abort();
    if (held.lost.aborted) stop();
    held.lost.addEventListener("abort", stop, { once: true });
    const finished = await sleep(workMs, { signal: work.signal, clock });
    if (!finished && !signal.aborted) await sleep(30_000, { signal, clock });
    work.dispose();
    witness.leave();
    await held.release();
    if (held.lost.aborted) witness.lost += 1;
    else if (finished) witness.done.set(job.id, (witness.done.get(job.id) ?? 0) + 1);
  }
}

/** The clock of a process that can be stopped: time passes, its timers do not fire. */
export class StoppableClock implements Clock {
  readonly #clock: Clock;
  #stopped = false;
  readonly #late: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(ms: number, run: () => void): () => void {
    let cancelled = false;
    const cancel = this.#clock.setTimer(ms, () => {
      const fire = () => void (cancelled || run());
      if (this.#stopped) this.#late.push(fire);
      else fire();
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  stop(): void {
    this.#stopped = true;
  }

  resume(): void {
    this.#stopped = false;
    for (const fire of this.#late.splice(0)) fire();
  }
}
