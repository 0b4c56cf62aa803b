import type { Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { ChangeTracker } from "../changes/change-tracker.ts";
import type { TrackingSettings } from "../changes/tracking-settings.ts";
import type { Config, TrackChanges } from "../config/resolved.ts";
import type { DirectorEvents } from "../model/events.ts";
import { changeLogFile, changesDirectory } from "./paths.ts";

export interface ChangeTrackingOptions {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  events: Emitter<DirectorEvents>;
  clock: Clock;
  log: Logger;
}

/** What keeps the changes of those jobs that ask for it; undefined when none does. */
export async function createChangeTracking(options: ChangeTrackingOptions): Promise<ChangeTracker | undefined> {
  const { config, events, clock, log } = options;
  const tracked = config.jobs.flatMap(({ id, trackChanges }) =>
    trackChanges === undefined ? [] : { id, trackChanges },
  );
  if (tracked.length === 0) return undefined;
  const [{ createChangeTracker }, { openChangeLedger }] = await Promise.all([
    import("../changes/change-tracker.ts"),
    import("../store/open-change-ledger.ts"),
  ]);
  const settings = new Map<string, TrackingSettings>();
  for (const { id, trackChanges } of tracked) settings.set(id, await settingsOf(trackChanges, options));
  return createChangeTracker({
    settings,
    openLedger: (file, onDamaged) => openChangeLedger(file, { instance: config.rsyncId, now: clock.now(), onDamaged }),
    clock,
    log,
    onRecorded: (of, files) => events.emit("changes:recorded", { ...of, files, at: clock.now() }),
    onTrouble: (of, message) => events.emit("changes:trouble", { ...of, message, at: clock.now() }),
  });
}

async function settingsOf(track: TrackChanges, { config, env }: ChangeTrackingOptions): Promise<TrackingSettings> {
  const { diffTool, backupDir: _backupDir, logFile: _logFile, ...limits } = track;
  const differ =
    diffTool === "diff"
      ? (await import("./diff-program.ts")).diffProgram
      : (await import("../changes/unified-diff.ts")).builtinDiffer;
  return {
    ...limits,
    backupDir: changesDirectory(track, { config, env }),
    logFile: changeLogFile(track, { config, env }),
    differ,
  };
}
