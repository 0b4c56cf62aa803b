import { isDeepStrictEqual } from "node:util";
import type { Emitter } from "../base/emitter.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { Job, Watch } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import { type DirtyJournal, type JournalEntry, keyOf } from "../watch/dirty-journal.ts";
import type { WatchedJob } from "./watched-job.ts";

/** One job as it is watched. */
export interface WatchedEntry {
  readonly job: Job;
  readonly watch: Watch;
  /** Its destinations. */
  readonly entries: readonly JournalEntry[];
}

interface WatchedJobsDeps {
  readonly journal: DirtyJournal;
  readonly open: (entry: WatchedEntry) => WatchedJob;
  readonly events: Emitter<DirectorEvents>;
  readonly log: Logger;
}

/**
 * The jobs that watch, by id, through changes of the configuration. A job whose watch is as it was is left alone. Any
 * other is replaced when no run of it is under way, because what that run carries leads to the old destinations; a
 * complete sync follows, since something may have changed unseen in between.
 */
export class WatchedJobs {
  readonly #deps: WatchedJobsDeps;
  readonly #jobs = new Map<string, { readonly entry: WatchedEntry; readonly watched: WatchedJob }>();
  /** What is to come when the run that is under way has ended; undefined: nothing. */
  readonly #next = new Map<string, WatchedEntry | undefined>();
  /** By job, the run that is under way. */
  readonly #running = new Map<string, string>();
  readonly #ending = new Set<Promise<void>>();
  readonly #stopListening: (() => void)[];
  #stopped = false;

  constructor(entries: readonly WatchedEntry[], deps: WatchedJobsDeps) {
    this.#deps = deps;
    for (const entry of entries) this.#jobs.set(entry.job.id, { entry, watched: deps.open(entry) });
    const { events } = deps;
    this.#stopListening = [
      events.on("job:started", ({ jobId, runId }) => void this.#running.set(jobId, runId)),
      events.on("job:finished", ({ jobId, runId }) => {
        if (this.#running.get(jobId) !== runId) return;
        this.#running.delete(jobId);
        // After all have heard of this end, and before another run of it can begin.
        if (this.#next.has(jobId)) queueMicrotask(() => this.#replaceIfIdle(jobId));
      }),
    ];
  }

  get(jobId: string): WatchedJob | undefined {
    return this.#jobs.get(jobId)?.watched;
  }

  async start(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ watched }) => watched.start()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const end of this.#stopListening) end();
    await Promise.all([...this.#jobs.values()].map(({ watched }) => watched.stop()));
    await Promise.all(this.#ending);
  }

  reconfigure(entries: readonly WatchedEntry[]): void {
    const wanted = new Map(entries.map((entry) => [entry.job.id, entry]));
    for (const id of new Set([...this.#jobs.keys(), ...wanted.keys()])) {
      const before = this.#jobs.get(id)?.entry;
      const after = wanted.get(id);
      this.#next.delete(id);
      if (before !== undefined && after !== undefined && isSameWatch(before, after)) continue;
      this.#next.set(id, after);
      this.#replaceIfIdle(id);
    }
  }

  #replaceIfIdle(id: string): void {
    if (this.#stopped || !this.#next.has(id) || this.#running.has(id)) return;
    const after = this.#next.get(id);
    this.#next.delete(id);
    const before = this.#jobs.get(id);
    this.#jobs.delete(id);
    let watched: WatchedJob | undefined;
    if (after !== undefined) {
      this.#deps.journal.adopt(after.entries, rereadReason);
      watched = this.#deps.open(after);
      this.#jobs.set(id, { entry: after, watched });
    }
    const change = this.#change(id, before, watched).catch((error: unknown) => {
      this.#deps.log.error({ job: id, error: describeError(error) }, "a watch could not be changed");
    });
    this.#ending.add(change);
    void change.then(() => this.#ending.delete(change));
  }

  async #change(
    id: string,
    before: { readonly entry: WatchedEntry; readonly watched: WatchedJob } | undefined,
    watched: WatchedJob | undefined,
  ): Promise<void> {
    await before?.watched.stop();
    for (const { of } of before?.entry.entries ?? []) if (!this.#leadsTo(keyOf(of))) this.#deps.journal.drop(of);
    // By now it may have been replaced itself.
    if (!this.#stopped && this.#jobs.get(id)?.watched === watched) await watched?.start(rereadReason);
  }

  #leadsTo(key: string): boolean {
    return [...this.#jobs.values()].some(({ entry }) => entry.entries.some(({ of }) => keyOf(of) === key));
  }
}

const rereadReason = "the configuration of the watch has changed";

function isSameWatch(one: WatchedEntry, other: WatchedEntry): boolean {
  const partsOf = ({ job, watch, entries }: WatchedEntry) => ({ watch, entries, retry: job.retry });
  return isDeepStrictEqual(partsOf(one), partsOf(other));
}
