import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { ChangeTracker } from "../changes/change-tracker.ts";
import type { TrackingSettings } from "../changes/tracking-settings.ts";
import type { Config } from "../config/resolved.ts";
import type { TrackChanges } from "../config/resolved-tracking.ts";
import type { DirectorEvents } from "../model/events.ts";
import { changeLogFile, changesDirectory } from "./paths.ts";

export interface ChangeTrackingOptions {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  believedNow: () => number;
  log: Logger;
}

export interface ChangeTracking extends ChangeTracker {
  /** Loads what another configuration needs; what is returned puts it into use, and cannot fail. */
  prepare(config: Config): Promise<() => void>;
}

/** What keeps the changes of those jobs that ask for it; while none does, nothing of it is loaded. */
export async function createChangeTracking(options: ChangeTrackingOptions): Promise<ChangeTracking> {
  const settings = new Map<string, TrackingSettings>();
  let tracker: ChangeTracker | undefined;
  const prepare = async (config: Config): Promise<() => void> => {
    const wanted = await settingsOf(config, options.env);
    const opened = wanted.size === 0 ? tracker : (tracker ?? (await openTracker(settings, options)));
    return () => {
      tracker = opened;
      settings.clear();
      for (const [id, setting] of wanted) settings.set(id, setting);
    };
  };
  (await prepare(options.config))();
  return {
    prepare,
    of: (tree, origin) => tracker?.of(tree, origin),
    close: async () => void (await tracker?.close()),
  };
}

async function openTracker(
  settings: ReadonlyMap<string, TrackingSettings>,
  { config, events, clock, believedNow, log }: ChangeTrackingOptions,
): Promise<ChangeTracker> {
  const [{ createChangeTracker }, { openChangeLedger }] = await Promise.all([
    import("../changes/change-tracker.ts"),
    import("../store/open-change-ledger.ts"),
  ]);
  return createChangeTracker({
    settings,
    openLedger: (file, onDamaged) => openChangeLedger(file, { instance: config.rsyncId, now: clock.now(), onDamaged }),
    clock,
    believedNow,
    log,
    onRecorded: (of, files) => events.emit("changes:recorded", { ...of, files, at: clock.now() }),
    onTrouble: (of, message) => events.emit("changes:trouble", { ...of, message, at: clock.now() }),
  });
}

type Environment = ChangeTrackingOptions["env"];

async function settingsOf(config: Config, env: Environment): Promise<Map<string, TrackingSettings>> {
  const settings = new Map<string, TrackingSettings>();
  for (const { id, trackChanges } of config.jobs) {
    if (trackChanges !== undefined) settings.set(id, await settingOf(trackChanges, { config, env }));
  }
  return settings;
}

async function settingOf(track: TrackChanges, of: { config: Config; env: Environment }): Promise<TrackingSettings> {
  const { diffTool, backupDir: _backupDir, logFile: _logFile, ...limits } = track;
  const differ =
    diffTool === "diff"
      ? (await import("./diff-program.ts")).diffProgram
      : (await import("../changes/unified-diff.ts")).builtinDiffer;
  return { ...limits, backupDir: changesDirectory(track, of), logFile: changeLogFile(track, of), differ };
}
