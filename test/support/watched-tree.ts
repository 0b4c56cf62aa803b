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
import type { TreeWatchState } from "../../src/watch/watch-state.ts";
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
    /** Does not wait until it has begun. */
    isStarting?: boolean;
  } = {},
) {
  const { root: source = join(place, "source"), filter = {}, limits, prepare, isStarting = false, ...times } = options;
  const target = join(place, "target");
  await mkdir(source, { recursive: true });
  await prepare?.(source);
  const mirror = createMirror(source, target);
  const changes: PathChange[] = [];
  const everything: string[] = [];
  const states: TreeWatchState[] = [];
  const log = createMemoryLog();
  const batcher = createBatcher({ debounceMs: 0, maxDelayMs: 0, maxBatch: 1e6, fullSyncThreshold: 1e6 });
  let isHeld = false;
  const carry = () => {
    if (isHeld) return;
    for (let batch = batcher.take(0); batch !== null; batch = batcher.take(0)) {
      if (batch.kind === "everything") mirror.copyEverything();
      else mirror.apply(batch.changes);
    }
  };
  const watcher = createTreeWatcher({
    root: source,
    filter: createWatchFilter({ extensions: [], include: [], exclude: [], ...filter }),
    ledger: createInotifyLedger(limits),
    onChanges: (list) => {
      changes.push(...list);
      batcher.add({ kind: "paths", changes: list }, 0);
      carry();
    },
    onEverything: (reason) => {
      everything.push(reason);
      batcher.add({ kind: "everything", reason }, 0);
      carry();
    },
    onState: (state) => states.push(state),
    clock: systemClock,
    log,
    ...times,
  });
  onTestFinished(() => watcher.close());
  const started = watcher.start();
  if (!isStarting) await started;
  mirror.copyEverything();
  return {
    source,
    target,
    watcher,
    started,
    changes,
    everything,
    states,
    log,
    /**
     * Does something and carries what was reported afterwards, as a sync does that comes after a quiet time. At other
     * times it is carried at once, perhaps while things happen.
     */
    carriesAfter: async (work: () => unknown) => {
      isHeld = true;
      await work();
      isHeld = false;
      carry();
    },
    /** Resolves when the target is as the source is, or at least has it all, and fails if it never becomes so. */
    becomesEqual: ({ mayHaveMore = false } = {}) =>
      vi.waitFor(
        () => {
          // To read both trees may take longer than the interval, which would leave the watcher no time.
          expect(watcher.state().settling).toBe(false);
          const wanted = describeTree(source);
          const found = describeTree(target);
          const paths = mayHaveMore ? Object.keys(wanted) : [...Object.keys(wanted), ...Object.keys(found)];
          expect(differences(paths, wanted, found)).toEqual([]);
        },
        { timeout: 40_000, interval: 100 },
      ),
    /** Resolves when such a thing was reported. */
    hears: (kind: PathChange["kind"], path: string) =>
      vi.waitFor(() => expect(changes).toContainEqual({ kind, path: join(source, path) }), {
        timeout: 30_000,
        interval: 20,
      }),
  };
}

/** The first of them, which is what a person can read. */
function differences(
  paths: readonly string[],
  wanted: Record<string, string>,
  found: Record<string, string>,
): string[] {
  return [...new Set(paths)]
    .filter((path) => wanted[path] !== found[path])
    .slice(0, 10)
    .map((path) => `${path}: ${found[path] ?? "missing"}, in the source ${wanted[path] ?? "missing"}`);
}

export type WatchedTree = Awaited<ReturnType<typeof watchTree>>;
