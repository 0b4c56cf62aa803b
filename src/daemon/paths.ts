import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "../base/errors.ts";
import type { Config } from "../config/resolved.ts";
import type { TrackChanges } from "../config/resolved-tracking.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where this instance keeps its history: the configured directory, else systemd's, else the account's. */
function stateDirectory(config: Config, env: Environment): string {
  if (config.stateDir !== undefined) return config.stateDir;
  const fromSystemd = firstOf(env.STATE_DIRECTORY);
  if (fromSystemd !== undefined) return fromSystemd;
  if (canUse("/var/lib/rsyncdirector")) return "/var/lib/rsyncdirector";
  return join(env.XDG_STATE_HOME ?? join(env.HOME ?? homedir(), ".local", "state"), "rsyncdirector");
}

export function historyFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `history-${config.rsyncId}.db`);
}

export function instanceIdFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `instance-${config.rsyncId}.id`);
}

/** What has to be cleaned up after a crash; not in the history, which must not stand in its way when it breaks. */
export function intentsFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `intents-${config.rsyncId}.json`);
}

/** Which jobs are paused; not in the history either, which must neither lose a pause nor end one when it breaks. */
export function pausesFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `pauses-${config.rsyncId}.json`);
}

/** What was told over the channels, and what still has to be. */
export function notifyFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `notify-${config.rsyncId}.json`);
}

/** When the clock was last seen; not in the history, which is deleted by what it says. */
export function clockFile(config: Config, env: Environment): string {
  return join(stateDirectory(config, env), `clock-${config.rsyncId}.json`);
}

/** Where the copies of changed files are kept. */
export function changesDirectory(track: TrackChanges, of: { config: Config; env: Environment }): string {
  return track.backupDir ?? join(stateDirectory(of.config, of.env), `changes-${of.config.rsyncId}`);
}

export function changeLogFile(track: TrackChanges, of: { config: Config; env: Environment }): string {
  return track.logFile ?? join(changesDirectory(track, of), "changes.log");
}

/** The pid file of the original: tools that people wrote look for it there. */
export function pidFile(config: Pick<Config, "rsyncId" | "pidFileDir">, env: Environment): string {
  return join(pidFileDirectory(config, env), `rsyncdirector-${config.rsyncId}.pid`);
}

/** Where the daemon answers the commands of this host: beside the pid file, which guards it. */
export function controlSocket(config: Pick<Config, "rsyncId" | "pidFileDir">, env: Environment): string {
  return join(pidFileDirectory(config, env), `rsyncdirector-${config.rsyncId}.sock`);
}

export function pidFileDirectory(config: Pick<Config, "pidFileDir">, env: Environment): string {
  if (config.pidFileDir !== undefined) return config.pidFileDir;
  if (canUse("/run/rsyncdirector")) return "/run/rsyncdirector";
  // A unit with User= may write nowhere else below /run.
  const fromSystemd = firstOf(env.RUNTIME_DIRECTORY);
  if (fromSystemd !== undefined) return fromSystemd;
  if (env.XDG_RUNTIME_DIR !== undefined) return join(env.XDG_RUNTIME_DIR, "rsyncdirector");
  throw new OperatorError(
    "pid_file_dir: /run/rsyncdirector cannot be written and XDG_RUNTIME_DIR is not set; name a directory in pid_file_dir",
    { kind: "usage" },
  );
}

/** systemd separates several directories with colons; ours is the first. */
function firstOf(list: string | undefined): string | undefined {
  const first = list?.split(":")[0];
  return first === "" ? undefined : first;
}

function canUse(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
