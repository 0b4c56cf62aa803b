import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { type ChangeTracker, type ChangeTrackerDeps, createChangeTracker } from "../../src/changes/change-tracker.ts";
import type { TrackingSettings } from "../../src/changes/tracking-settings.ts";
import type { TrackChanges } from "../../src/config/resolved-tracking.ts";
import { builtinDiffer } from "../../src/changes/unified-diff.ts";
import type { ChangeQuery, RecordedChange } from "../../src/model/tracked-change.ts";
import { openChangeLedger, readChangeLedger } from "../../src/store/open-change-ledger.ts";
import { makeTempDir } from "./temp-dir.ts";

/** A tree with a tracker of its own, for tests that track without rsync. */
export interface TrackedTreeFixture {
  readonly directory: string;
  readonly source: string;
  readonly backup: string;
  readonly settings: TrackingSettings;
  readonly troubles: string[];
  readonly tracker: ChangeTracker;
  /** One sync that succeeds: what these paths are like now is recorded. */
  sync(paths: readonly string[], run?: string): Promise<number>;
  /** What the ledger has, the newest first. */
  changes(query?: Partial<ChangeQuery>): Promise<RecordedChange[]>;
  log(): Promise<string>;
  /** Every file below a directory of the backup directory, by its relative name. */
  files(below: string): Promise<string[]>;
}

export const tree = { jobId: "job", actionId: "copy" };

export function trackingSettings(directory: string, overrides: Partial<TrackingSettings> = {}): TrackingSettings {
  const backupDir = join(directory, "backup");
  return {
    backupDir,
    logFile: join(backupDir, "changes.log"),
    maxFileSize: 1024 ** 2,
    logMaxSize: 10 * 1024 ** 2,
    logKeep: 5,
    keepLast: 10,
    keepMs: 90 * 86_400_000,
    maxSize: 1024 ** 3,
    differ: builtinDiffer,
    ...overrides,
  };
}

/** What a job says that has its changes tracked; the tracker itself has settings of its own. */
export const trackedJob: TrackChanges = {
  backupDir: undefined,
  logFile: undefined,
  diffTool: "builtin",
  maxFileSize: 1024 ** 2,
  logMaxSize: 10 * 1024 ** 2,
  logKeep: 5,
  keepLast: 10,
  keepMs: 90 * 86_400_000,
  maxSize: 1024 ** 3,
};

export function trackerFor(
  settings: TrackingSettings,
  deps: Partial<ChangeTrackerDeps> & { clock?: Clock } = {},
): ChangeTracker {
  return createChangeTracker({
    settings: new Map([[tree.jobId, settings]]),
    openLedger: (file, onDamaged) => openChangeLedger(file, { instance: "test", now: 0, onDamaged }),
    clock: systemClock,
    believedNow: () => (deps.clock ?? systemClock).now(),
    log: silentLogger,
    ...deps,
  });
}

export async function makeTrackedTree(
  options: { settings?: Partial<TrackingSettings>; clock?: Clock; deps?: Partial<ChangeTrackerDeps> } = {},
): Promise<TrackedTreeFixture> {
  const directory = await makeTempDir();
  const source = join(directory, "source");
  await mkdir(source);
  const settings = trackingSettings(directory, options.settings);
  const backup = settings.backupDir;
  const troubles: string[] = [];
  const tracker = trackerFor(settings, {
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    onTrouble: (_, message) => troubles.push(message),
    ...options.deps,
  });
  let runs = 0;
  return {
    ...{ directory, source, backup, settings, troubles, tracker },
    sync: async (paths, run = `run-${(runs += 1)}`) => syncOnce(tracker, source, paths, run),
    changes: (query = {}) => readChanges(backup, query),
    log: () => readFile(settings.logFile, "utf8"),
    files: async (below) => filesBelow(join(backup, below)),
  };
}

export async function syncOnce(
  tracker: ChangeTracker,
  source: string,
  paths: readonly string[],
  runId: string,
): Promise<number> {
  const tracked = tracker.of(tree, { runId, trigger: "watch: change" });
  if (tracked === undefined) throw new Error("the job is not tracked");
  const named = paths.map((path) => ({ path, file: join(source, path) }));
  let settled = false;
  try {
    await tracked.begin(async () => (await filesBelow(source)).map((path) => ({ path, file: join(source, path) })));
    await tracked.stage(named);
    const count = await tracked.commit();
    settled = true;
    return count;
  } finally {
    await tracked.end({ settled });
  }
}

export async function readChanges(backup: string, query: Partial<ChangeQuery> = {}): Promise<RecordedChange[]> {
  const reader = await readChangeLedger(join(backup, "ledger.db"));
  try {
    return reader?.changes({ limit: 1_000_000, ...query }) ?? [];
  } finally {
    reader?.close();
  }
}

export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}
