import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { PathChange } from "../../src/model/changes.ts";
import { createBatcher } from "../../src/watch/batcher.ts";
import { createInotifyLedger, type InotifyLimits } from "../../src/watch/inotify-ledger.ts";
import { createTreeWatcher } from "../../src/watch/tree-watcher.ts";
import type { TreeWatcherOptions } from "../../src/watch/tree-watcher-contract.ts";
import { createWatchFilter, type WatchFilterOptions } from "../../src/watch/watch-filter.ts";
import type { WatchState } from "../../src/watch/watch-state.ts";
import { createMemoryLog } from "./memory-log.ts";
import { createMirror, describeTree } from "./mirrored-tree.ts";

/**
 * A watched directory `source` below `place`, and `target`, which is brought up to date by nothing but what the watcher
 * reports. It is filled by `prepare` before the watcher starts.
 */
export async function watchTree(
  place: string,
  options: Partial<Pick<TreeWatcherOptions, "rescanMs" | "scanMs" | "root">> & {
    filter?: Partial<WatchFilterOptions>;
    limits?: InotifyLimits;
    prepare?: (source: string) => Promise<unknown> | void;
    /** Carries changes when none have come for so long (ms), rather than at once. */
    debounceMs?: number;
  } = {},
) {
  const { root: source = join(place, "source"), filter = {}, limits, prepare, debounceMs = 0, ...times } = options;
  const target = join(place, "target");
  await mkdir(source, { recursive: true });
  await prepare?.(source);
  const mirror = createMirror(source, target);
  const changes: PathChange[] = [];
  const everything: string[] = [];
  const states: WatchState[] = [];
  const log = createMemoryLog();
  const batcher = createBatcher({ debounceMs, maxDelayMs: 60_000, maxBatch: 1e6, fullSyncThreshold: 1e6 });
  let timer: NodeJS.Timeout | undefined;
  onTestFinished(() => clearTimeout(timer));
  const carry = () => {
    for (let batch = batcher.take(Date.now()); batch !== null; batch = batcher.take(Date.now())) {
      if (batch.kind === "everything") mirror.copyEverything();
      else mirror.apply(batch.changes);
    }
    clearTimeout(timer);
    const due = batcher.nextDue();
    if (due !== null) timer = setTimeout(carry, Math.max(1, due - Date.now()));
  };
  const watcher = createTreeWatcher({
    root: source,
    filter: createWatchFilter({ extensions: [], include: [], exclude: [], ...filter }),
    ledger: createInotifyLedger(limits),
    onChanges: (list) => {
      changes.push(...list);
      batcher.add({ kind: "paths", changes: list }, Date.now());
      carry();
    },
    onEverything: (reason) => {
      everything.push(reason);
      batcher.add({ kind: "everything", reason }, Date.now());
      carry();
    },
    onState: (state) => states.push(state),
    clock: systemClock,
    log,
    ...times,
  });
  onTestFinished(() => watcher.close());
  await watcher.start();
  mirror.copyEverything();
  return {
    source,
    target,
    watcher,
    changes,
    everything,
    states,
    log,
    /** Resolves when the target is as the source is, and fails if it never becomes so. */
    becomesEqual: () =>
      vi.waitFor(() => expect(differences(describeTree(source), describeTree(target))).toEqual([]), {
        timeout: 20_000,
        interval: 100,
      }),
    /** Resolves when such a thing was reported. */
    hears: (kind: PathChange["kind"], path: string) =>
      vi.waitFor(() => expect(changes).toContainEqual({ kind, path: join(source, path) }), {
        timeout: 30_000,
        interval: 20,
      }),
  };
}

/** The first of them, which is what a person can read. */
function differences(wanted: Record<string, string>, found: Record<string, string>): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])]
    .filter((path) => wanted[path] !== found[path])
    .slice(0, 10)
    .map((path) => `${path}: ${found[path] ?? "missing"}, in the source ${wanted[path] ?? "missing"}`);
}

export type WatchedTree = Awaited<ReturnType<typeof watchTree>>;
