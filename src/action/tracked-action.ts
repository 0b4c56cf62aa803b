import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction } from "../config/resolved.ts";
import { describeTrigger } from "../changes/describe-trigger.ts";
import type { TrackedPath } from "../changes/staged-file.ts";
import type { TrackedSync } from "../changes/tracked-sync.ts";
import type { SyncScope } from "../model/changes.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { ItemizedChange } from "../model/transfer.ts";
import type { ActionContext, ActionDeps, ActionKind } from "./action-kind.ts";
import { listCovered } from "./list-covered.ts";
import { type TrackedPlaces, trackedPlaces } from "./tracked-places.ts";

/** With more than this the tree is looked through instead. */
const mostItemized = 100_000;
/** With these rsync's output does not say what changed. */
const hidesChanges = ["quiet", "info", "out-format", "log-format", "stderr", "msgs2stderr", "no-msgs2stderr"];

type Running = { context: ActionContext; deps: ActionDeps };

/**
 * A sync whose changes are kept: what a watcher saw is staged before the sync, what rsync says it did is looked at
 * afterwards, and both are recorded when the sync has succeeded. Tracking that fails makes a warning of a success
 * and nothing else.
 */
export function trackedAction(sync: ActionKind<SyncAction>): ActionKind<SyncAction> {
  return {
    preview: (job, action, options) => sync.preview(job, action, options),
    run: async (job, action, { context, deps }) => {
      const cause = describeTrigger(context.cause);
      const dry = context.dryRun || rsyncOptionNames(action.opts).has("dry-run");
      const tree = { jobId: job.id, actionId: action.id };
      const tracked = dry ? undefined : deps.changes?.of(tree, { runId: context.runId, trigger: cause });
      if (tracked === undefined) return sync.run(job, action, { context, deps });
      return new TrackedRun(job, action, tracked, { context, deps }).run(sync);
    },
  };
}

class TrackedRun {
  readonly #job: Job;
  readonly #action: SyncAction;
  readonly #tracked: TrackedSync;
  readonly #running: Running;
  readonly #places: TrackedPlaces;
  /** What rsync said it did; undefined: more than is remembered. */
  #itemized: Set<string> | undefined = new Set();
  #hasItemized = false;

  constructor(job: Job, action: SyncAction, tracked: TrackedSync, running: Running) {
    this.#job = job;
    this.#action = action;
    this.#tracked = tracked;
    this.#running = running;
    this.#places = trackedPlaces(job, action, running.context.target);
  }

  async run(sync: ActionKind<SyncAction>): Promise<ActionOutcome> {
    const { context, deps } = this.#running;
    const { scope, signal } = context;
    const begun = await this.#attempt(() => this.#tracked.begin(() => this.#list(), signal));
    const staged =
      begun !== undefined &&
      (scope.kind === "full" || (await this.#attempt(() => this.#stageScope(scope))) !== undefined);
    const onChanges = (changes: readonly ItemizedChange[]) => {
      this.#remember(changes);
      context.onChanges?.(changes);
    };
    const outcome = await sync.run(this.#job, this.#action, { context: { ...context, onChanges }, deps });
    const succeeded = outcome.kind === "ok" || outcome.kind === "warning";
    const recorded = succeeded && staged ? await this.#attempt(() => this.#record(begun.unsettled)) : undefined;
    await this.#tracked.end({ settled: recorded !== undefined });
    return withTroubles(outcome, this.#tracked.troubles);
  }

  /** undefined: it failed, which was told. */
  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      // Whoever stops the action knows that nothing is recorded.
      if (!this.#running.context.signal.aborted) this.#tracked.trouble(error);
      return undefined;
    }
  }

  async #stageScope(scope: Extract<SyncScope, { kind: "paths" }>): Promise<true> {
    await this.#tracked.stage(this.#pathsOf(scope), this.#running.context.signal);
    return true;
  }

  async #record(unsettled: boolean): Promise<true> {
    const { scope, signal } = this.#running.context;
    const itemized = this.#itemized;
    const hidden = [...rsyncOptionNames(this.#action.opts)].some((name) => hidesChanges.includes(name));
    if (scope.kind === "full") {
      if (unsettled || hidden || itemized === undefined) await this.#stageAll();
      else await this.#tracked.stage(this.#named(itemized), signal);
    }
    const knows = scope.kind === "paths" && !unsettled && !hidden && itemized !== undefined && this.#hasItemized;
    await this.#tracked.commit(knows ? (path) => itemized.has(path) : undefined);
    return true;
  }

  /** Looks through the tree: nobody knows what earlier syncs copied, or this one did. */
  async #stageAll(): Promise<void> {
    const present = await this.#list();
    const names = new Set(present.map(({ path }) => path));
    const { signal } = this.#running.context;
    await this.#tracked.stage(present, signal);
    await this.#tracked.stage(
      this.#tracked.vanished(names, (path) => this.#places.fileOf(path)),
      signal,
    );
  }

  #list(): Promise<TrackedPath[]> {
    return listCovered(this.#job, this.#action, { places: this.#places, ...this.#running });
  }

  #remember(changes: readonly ItemizedChange[]): void {
    this.#hasItemized = true;
    for (const { operation, kind, path } of changes) {
      if (operation === "attributes" || (kind === "directory" && operation !== "deleted")) continue;
      if (this.#itemized !== undefined && this.#itemized.size >= mostItemized) this.#itemized = undefined;
      this.#itemized?.add(path);
    }
  }

  *#named(paths: Iterable<string>): Generator<TrackedPath> {
    for (const path of paths) {
      if (this.#places.covers(path)) yield { path, file: this.#places.fileOf(path) };
    }
  }

  async *#pathsOf({ changes }: Extract<SyncScope, { kind: "paths" }>): AsyncGenerator<TrackedPath> {
    for (const { path: file, kind } of changes) {
      if (kind === "deleted") yield* this.#places.pathsOf(file);
      else yield* this.#filesIn(file, kind === "tree");
    }
  }

  /** A directory counts only with what is in it, where that is asked for; links are not followed. */
  async *#filesIn(file: string, deep: boolean): AsyncGenerator<TrackedPath> {
    const isDirectory = await lstat(file).then(
      (stats) => stats.isDirectory(),
      () => false,
    );
    if (!isDirectory) {
      yield* this.#places.pathsOf(file).filter(({ path }) => this.#places.covers(path));
    } else if (deep) {
      for await (const { name } of await opendir(file)) yield* this.#filesIn(join(file, name), true);
    }
  }
}

function withTroubles(outcome: ActionOutcome, troubles: readonly string[]): ActionOutcome {
  if (troubles.length === 0 || (outcome.kind !== "ok" && outcome.kind !== "warning")) return outcome;
  const told = `changes were not tracked: ${troubles.join("; ")}`;
  const message = outcome.kind === "warning" ? `${outcome.message}; ${told}` : told;
  return { kind: "warning", message, report: outcome.report };
}
