import type { CancelTimer } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { CarriedChanges, ChangeDestination, ChangeSet, WatchState } from "../model/changes.ts";
import { isSuccess, type JobOutcome, type RunCause } from "../model/run.ts";
import { BackOff } from "../watch/back-off.ts";
import { type Batcher, createBatcher } from "../watch/batcher.ts";
import { keyOf } from "../watch/dirty-journal.ts";
import type { TreeWatcher } from "../watch/tree-watcher-contract.ts";
import { joinWatchStates } from "../watch/watch-state.ts";
import type { WatchedJobDeps } from "./watched-job-deps.ts";

/**
 * One job that runs when files change: gathers changes into batches, writes them into the journal of each
 * destination, asks for runs, and asks again for what did not arrive. All its times share one timer.
 */
export class WatchedJob {
  readonly #deps: WatchedJobDeps;
  readonly #batcher: Batcher;
  readonly #targets = new Map<string, BackOff>();
  /** Of runs that ended before they came to their targets, such as those that waited for a lock in vain. */
  readonly #runs: BackOff;
  /** When the last complete sync that arrived had begun (boot clock, ms). */
  readonly #lastFull = new Map<string, number>();
  #watchers: readonly TreeWatcher[] = [];
  /** Destinations for which something has changed since their last sync began. */
  readonly #fresh = new Set<string>();
  /** Targets at which something has arrived since a run last ended. */
  #reached = new Set<string>();
  /** Who waits for something to carry. */
  readonly #waiting = new Set<() => void>();
  #retryAt: number | undefined;
  #cancelTimer: CancelTimer | undefined;
  #stopListening: (() => void)[] = [];
  #isRunning = false;
  /** A run was skipped because the job is paused: what changes is kept, and asked for when it is resumed. */
  #isPaused = false;
  #stopped = false;
  #told = "";

  constructor(deps: WatchedJobDeps) {
    this.#deps = deps;
    const { retry } = deps.job;
    this.#batcher = createBatcher(deps.watch);
    this.#runs = new BackOff(retry);
    for (const { targetId } of deps.destinations) this.#targets.set(targetId, new BackOff(retry));
  }

  /**
   * Watches first and asks for a run afterwards, so that nothing that changes meanwhile is missed. `gap`: why something
   * may have been missed before; a complete sync is due then.
   */
  async start(gap?: string): Promise<void> {
    const { destinations, clock, events, job, log } = this.#deps;
    for (const destination of destinations) this.#lastFull.set(keyOf(destination), clock.monotonic());
    this.#stopListening = [
      events.on("job:started", ({ jobId }) => {
        if (jobId === job.id) this.#isRunning = true;
      }),
      events.on("job:finished", ({ jobId, outcome }) => {
        if (jobId === job.id) this.#onFinished(outcome);
      }),
      events.on("job:resumed", ({ jobId }) => jobId === job.id && this.#onResumed()),
    ];
    this.#watchers = this.#deps.openWatchers({
      onChanges: (changes) => this.#onChanges(changes),
      onState: () => this.#tellState(),
    });
    await Promise.all(this.#watchers.map((watcher) => this.#startWatcher(watcher)));
    if (this.#stopped) return;
    const { directories } = this.#tellState();
    log.info({ job: job.id, directories }, "watching");
    if (gap !== undefined) this.#write({ kind: "everything", reason: gap });
    if (this.#isPending()) this.#request("");
    this.#arm();
  }

  /** What was seen and not yet handed on goes into the journal. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    for (const end of this.#stopListening) end();
    await Promise.all(this.#watchers.map((watcher) => watcher.close()));
    for (const batch of this.#batches(Number.POSITIVE_INFINITY)) this.#write(batch);
  }

  /** See `ChangesFeed`. */
  begin(of: ChangeDestination, cause: RunCause): CarriedChanges {
    const { clock, journal } = this.#deps;
    const backOff = this.#targets.get(of.targetId);
    if (backOff === undefined) throw new Error(`job ${of.jobId} does not watch for target ${of.targetId}`);
    const now = clock.monotonic();
    const asked = cause.kind === "watch";
    const snapshot = asked ? journal.snapshot(of) : journal.fullSnapshot(of, `the run was asked for: ${cause.kind}`);
    if (snapshot === null) return { kind: "nothing" };
    if (asked && backOff.until > now) {
      const until = clock.now() + backOff.until - now;
      const message = `not tried: it failed ${backOff.failures} times in a row, the next try is due at ${new Date(until).toISOString()}`;
      return { kind: "deferred", until, message };
    }
    this.#fresh.delete(keyOf(of));
    return {
      kind: "carry",
      scope: snapshot.scope,
      arrived: () => {
        backOff.succeeded();
        this.#reached.add(of.targetId);
        journal.arrived(of, snapshot);
        if (snapshot.scope.kind === "full") this.#lastFull.set(keyOf(of), now);
        this.#arm();
      },
      failed: () => backOff.failed(clock.monotonic()),
    };
  }

  /** See `ChangesFeed`. */
  untilPending(of: ChangeDestination, signal: AbortSignal): Promise<boolean> {
    const { journal } = this.#deps;
    return new Promise((resolve) => {
      const settle = (pending: boolean) => {
        this.#waiting.delete(look);
        signal.removeEventListener("abort", onAbort);
        resolve(pending);
      };
      const look = () => journal.need(of) !== null && settle(true);
      const onAbort = () => settle(false);
      this.#waiting.add(look);
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      look();
    });
  }

  async #startWatcher(watcher: TreeWatcher): Promise<void> {
    try {
      await watcher.start();
    } catch (error) {
      const { job, log } = this.#deps;
      log.error({ job: job.id, error: describeError(error) }, "watch could not be started");
      this.#onChanges({ kind: "everything", reason: "a watch could not be started" });
    }
  }

  #onChanges(changes: ChangeSet): void {
    this.#batcher.add(changes, this.#deps.clock.monotonic());
    this.#arm();
  }

  #tick(): void {
    const now = this.#deps.clock.monotonic();
    for (const batch of this.#batches(now)) {
      this.#write(batch);
      this.#requestUnlessPutOff(batch.kind === "paths" ? (batch.changes[0]?.path ?? "") : "");
      // A directory that comes or goes is a change, and no other news of the watcher's state.
      this.#tellState();
    }
    if (now >= this.#nextFull()) {
      this.#write({ kind: "everything", reason: "full_sync_interval has passed" }, this.#withoutFull());
      this.#requestUnlessPutOff("");
    }
    if (this.#retryAt !== undefined && now >= this.#retryAt) {
      this.#retryAt = undefined;
      // What is left when a run ends is looked at then.
      if (!this.#isRunning && this.#isPending()) this.#request("");
    }
    this.#arm();
  }

  *#batches(now: number): Generator<ChangeSet> {
    for (let batch = this.#batcher.take(now); batch !== null; batch = this.#batcher.take(now)) yield batch;
  }

  #write(changes: ChangeSet, destinations = this.#deps.destinations): void {
    const { journal, events, clock, job, log } = this.#deps;
    for (const destination of destinations) {
      const reason = journal.add(destination, changes);
      const { targetId: target } = destination;
      if (reason !== null)
        log.warn({ job: job.id, target, reason }, "a complete sync takes the place of changed paths");
      this.#fresh.add(keyOf(destination));
    }
    for (const look of this.#waiting) look();
    const files = changes.kind === "paths" ? changes.changes.length : null;
    const reason = changes.kind === "everything" ? changes.reason : null;
    events.emit("watch:batch", { jobId: job.id, files, reason, at: clock.now() });
  }

  #request(path: string): void {
    const { job, watch, submit } = this.#deps;
    if (this.#stopped || this.#isPaused) return;
    submit({ jobs: [job.id], cause: { kind: "watch", path: path === "" ? (watch.paths[0] ?? "") : path } });
  }

  /** Where every target that lacks something is left alone for now, a run would only say so. */
  #requestUnlessPutOff(path: string): void {
    const now = this.#deps.clock.monotonic();
    const waits = this.#pending().map((of) => this.#untilOf(of));
    if (waits.some((until) => until <= now)) this.#request(path);
    else this.#retryAt = Math.min(this.#retryAt ?? Number.POSITIVE_INFINITY, ...waits);
  }

  /** Asks for nothing at once: for the dispatcher the job is not free before everybody was told that it has ended. */
  #onFinished(outcome: JobOutcome): void {
    if (outcome.kind === "skipped" && outcome.cause === "already-running") return;
    this.#isRunning = false;
    this.#isPaused = outcome.kind === "skipped" && outcome.cause === "paused";
    if (this.#isPaused) return;
    const now = this.#deps.clock.monotonic();
    const reached = this.#reached;
    this.#reached = new Set();
    const pending = this.#pending();
    if (reached.size > 0 || pending.length === 0) this.#runs.succeeded();
    if (pending.length === 0) return;
    const waits = pending.map((of) => {
      const until = this.#untilOf(of);
      if (until > now) return until;
      const isNews = this.#fresh.has(keyOf(of)) && (isSuccess(outcome.kind) || reached.has(of.targetId));
      return isNews ? now : undefined;
    });
    // What was not tried, or was carried by a dry run, is not in the back-off of its target: the run has to wait then.
    if (waits.includes(undefined)) {
      this.#runs.failed(now);
      waits.push(this.#runs.until);
    }
    this.#retryAt = Math.min(...waits.flatMap((until) => until ?? []));
    this.#arm();
  }

  #onResumed(): void {
    this.#isPaused = false;
    // What is left when a run ends is looked at then.
    if (!this.#isRunning && this.#isPending()) this.#requestUnlessPutOff("");
    this.#arm();
  }

  #untilOf({ targetId }: ChangeDestination): number {
    return this.#targets.get(targetId)?.until ?? 0;
  }

  #pending(): ChangeDestination[] {
    const { destinations, journal } = this.#deps;
    return destinations.filter((of) => journal.need(of) !== null);
  }

  #isPending(): boolean {
    return this.#pending().length > 0;
  }

  /** Destinations for which no complete sync is pending anyhow. */
  #withoutFull(): ChangeDestination[] {
    const { destinations, journal } = this.#deps;
    return destinations.filter((of) => journal.need(of) !== "full");
  }

  #nextFull(): number {
    const { fullSyncIntervalMs } = this.#deps.watch;
    const times = this.#withoutFull().map((of) => (this.#lastFull.get(keyOf(of)) ?? 0) + fullSyncIntervalMs);
    return Math.min(Number.POSITIVE_INFINITY, ...times);
  }

  #arm(): void {
    this.#cancelTimer?.();
    if (this.#stopped) return;
    const due = Math.min(
      this.#batcher.nextDue() ?? Number.POSITIVE_INFINITY,
      this.#nextFull(),
      this.#retryAt ?? Number.POSITIVE_INFINITY,
    );
    if (due === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#deps;
    this.#cancelTimer = clock.setTimer(Math.max(0, due - clock.monotonic()), () => this.#tick());
  }

  /** Tells it to the listeners where it is another one than they know. */
  #tellState(): WatchState {
    const { events, job, clock } = this.#deps;
    const state = joinWatchStates(this.#watchers.map((watcher) => watcher.state()));
    const told = JSON.stringify(state);
    if (told !== this.#told) events.emit("watch:state", { jobId: job.id, state, at: clock.now() });
    this.#told = told;
    return state;
  }
}
