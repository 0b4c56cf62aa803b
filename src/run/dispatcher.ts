import { AbortReason } from "../base/abort.ts";
import type { RunRequest, RunResult } from "../model/run.ts";
import { type ActiveRun, executeRun, type RunExecutorDeps } from "./run-executor.ts";
import { newRunId } from "./run-id.ts";
import { type QueuedRun, RunQueue } from "./run-queue.ts";

/** What became of a request: `runId` is the run that does its work, `result` how that run ends. */
export interface Submission {
  readonly runId: string;
  readonly result: Promise<RunResult>;
}

interface Pending {
  readonly promise: Promise<RunResult>;
  readonly resolve: (result: RunResult) => void;
}

/**
 * Takes requests, applies each job's `concurrency`, and starts runs as their jobs become free.
 * Everything is decided in one synchronous step per request, so two triggers at once cannot both win.
 */
export class Dispatcher {
  readonly #deps: RunExecutorDeps;
  readonly #dryRun: boolean;
  readonly #queue = new RunQueue();
  readonly #active = new Map<string, ActiveRun>();
  readonly #pending = new Map<string, Pending>();
  readonly #shutdown = new AbortController();

  constructor(deps: RunExecutorDeps, options: { dryRun: boolean } = { dryRun: false }) {
    this.#deps = deps;
    this.#dryRun = options.dryRun;
  }

  /** Accepts a request. After `stop` it still answers: with a run whose jobs are all cancelled. */
  submit(request: RunRequest): Submission {
    const { clock, events } = this.#deps;
    const at = clock.now();
    const needs = new Set(request.jobs.filter((job) => !this.#isForbidden(job, request)));
    const covering = needs.size === request.jobs.length ? this.#queue.findCovering(request) : undefined;
    if (covering !== undefined) {
      events.emit("run:coalesced", { runId: covering.runId, cause: request.cause, at });
      for (const job of request.jobs) this.#replaceActive(job);
      return { runId: covering.runId, result: this.#pendingOf(covering.runId).promise };
    }
    const run: QueuedRun = { runId: newRunId(at), request, needs };
    this.#pending.set(run.runId, newPending());
    events.emit("run:queued", { runId: run.runId, jobs: request.jobs, cause: request.cause, at });
    this.#queue.add(run);
    const { promise } = this.#pendingOf(run.runId);
    for (const job of needs) this.#replaceActive(job);
    this.#startReady();
    return { runId: run.runId, result: promise };
  }

  /**
   * Cancels a run, whether it waits or has begun; its jobs that have not ended are reported as cancelled. The
   * answer resolves when the run has ended and its locks are free; undefined: there is no such run (any more).
   */
  cancelRun(runId: string, reason: AbortReason): Promise<RunResult> | undefined {
    const pending = this.#pending.get(runId);
    if (pending === undefined) return undefined;
    const waiting = this.#queue.takeWaiting(runId);
    if (waiting !== undefined) this.#start(waiting, reason);
    else this.#active.get(runId)?.cancel(reason);
    return pending.promise;
  }

  /** Starts nothing more, stops what runs, and resolves when all of it has ended and freed its locks. */
  async stop(reason: AbortReason): Promise<void> {
    this.#shutdown.abort(reason);
    for (const run of this.#queue.clearWaiting()) this.#start(run);
    await this.idle();
  }

  /** Resolves when no run is active or waiting. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all([...this.#pending.values()].map(({ promise }) => promise));
  }

  #startReady(): void {
    for (const run of this.#queue.takeReady()) this.#start(run);
  }

  #start(run: QueuedRun, cancelled?: AbortReason): void {
    const { runId } = run;
    const active = executeRun(this.#deps, run, {
      dryRun: this.#dryRun,
      shutdown: this.#shutdown.signal,
      cancelled,
      onJobFinished: (jobId) => {
        this.#queue.jobFinished(runId, jobId);
        this.#startReady();
      },
    });
    this.#active.set(runId, active);
    void active.result.then((result) => {
      this.#active.delete(runId);
      this.#queue.runFinished(runId);
      this.#pendingOf(runId).resolve(result);
      this.#pending.delete(runId);
      this.#startReady();
    });
  }

  /** People's own requests always wait for their turn; `forbid` is about triggers that repeat themselves. */
  #isForbidden(jobId: string, { cause }: RunRequest): boolean {
    const repeats = cause.kind === "schedule" || cause.kind === "watch";
    const job = this.#deps.jobs.get(jobId);
    return repeats && job?.concurrency === "forbid" && this.#queue.activeRunOf(jobId) !== undefined;
  }

  #replaceActive(jobId: string): void {
    if (this.#deps.jobs.get(jobId)?.concurrency !== "replace") return;
    const run = this.#queue.activeRunOf(jobId);
    if (run === undefined) return;
    const reason = new AbortReason("replaced", "a newer request replaces this run (concurrency: replace)");
    this.#active.get(run.runId)?.cancelJob(jobId, reason);
  }

  #pendingOf(runId: string): Pending {
    const pending = this.#pending.get(runId);
    if (pending === undefined) throw new Error(`no run ${runId}`);
    return pending;
  }
}

function newPending(): Pending {
  let resolve: (result: RunResult) => void = () => undefined;
  const promise = new Promise<RunResult>((settle) => (resolve = settle));
  return { promise, resolve };
}
