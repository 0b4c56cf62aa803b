import type { RunRequest } from "../model/run.ts";

/** A request that was accepted and the jobs it still needs for itself. */
export interface QueuedRun {
  readonly runId: string;
  readonly request: RunRequest;
  /** Jobs of the request that nobody else may run meanwhile. */
  readonly needs: ReadonlySet<string>;
}

/**
 * Which runs may go on now. Two runs that share a job never overlap; runs that share none go side by
 * side. A waiting run is never overtaken by a later one that needs one of its jobs.
 *
 * Pure bookkeeping: whoever owns the queue starts what `takeReady` returns and says what has ended.
 */
export class RunQueue {
  readonly #waiting: QueuedRun[] = [];
  readonly #active = new Map<string, { run: QueuedRun; unfinished: Set<string> }>();

  /**
   * The waiting run that covers every job of the request already, so that the request adds nothing. A run for what
   * has changed is no complete one, which everybody but a watcher asks for.
   */
  findCovering({ jobs, cause }: RunRequest): QueuedRun | undefined {
    const carriesEnough = ({ request }: QueuedRun) => cause.kind === "watch" || request.cause.kind !== "watch";
    return this.#waiting.find((run) => carriesEnough(run) && jobs.every((job) => run.needs.has(job)));
  }

  add(run: QueuedRun): void {
    this.#waiting.push(run);
  }

  /** Moves every run whose turn has come from waiting to active, oldest first. */
  takeReady(): QueuedRun[] {
    const busy = new Set([...this.#active.values()].flatMap(({ unfinished }) => [...unfinished]));
    const ready: QueuedRun[] = [];
    for (const run of [...this.#waiting]) {
      const free = [...run.needs].every((job) => !busy.has(job));
      // The jobs of a run that stays behind are reserved for it, else a stream of small requests starves it.
      for (const job of run.needs) busy.add(job);
      if (!free) continue;
      this.#waiting.splice(this.#waiting.indexOf(run), 1);
      this.#active.set(run.runId, { run, unfinished: new Set(run.needs) });
      ready.push(run);
    }
    return ready;
  }

  /** One job of an active run has ended: others may have it, even while that run goes on. */
  jobFinished(runId: string, jobId: string): void {
    this.#active.get(runId)?.unfinished.delete(jobId);
  }

  runFinished(runId: string): void {
    this.#active.delete(runId);
  }

  /** Takes one waiting run out; undefined: it does not wait. */
  takeWaiting(runId: string): QueuedRun | undefined {
    const index = this.#waiting.findIndex((run) => run.runId === runId);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
  }

  /** Takes all waiting runs out (shutdown) and returns them. */
  clearWaiting(): QueuedRun[] {
    return this.#waiting.splice(0);
  }

  /** The active run in which the job has not ended yet. */
  activeRunOf(jobId: string): QueuedRun | undefined {
    return [...this.#active.values()].find(({ unfinished }) => unfinished.has(jobId))?.run;
  }
}
