import { isAbsolute, resolve } from "node:path";
import { describeError, OperatorError } from "../base/errors.ts";
import type { ChangeArchives, FoundChange } from "../daemon/inspect/change-archives.ts";
import type { ChangeQuery } from "../model/tracked-change.ts";
import type { CommandContext } from "./command-context.ts";
import { configPath } from "./config-option.ts";

/** Opens every backup directory of a configuration. Throws an `OperatorError` when no job of it is tracked. */
export async function openArchives(
  options: { config?: string; job?: string },
  context: CommandContext,
): Promise<ChangeArchives> {
  const path = configPath(options.config, context.env);
  const [{ loadConfig }, { backupRoots, openChangeArchives }] = await Promise.all([
    import("../config/load.ts"),
    import("../daemon/inspect/change-archives.ts"),
  ]);
  const { config } = await loadConfig(path, { env: context.env });
  if (options.job !== undefined && !config.jobs.some(({ id }) => id === options.job)) {
    throw new OperatorError(`there is no job "${options.job}" in ${path}`, { kind: "usage" });
  }
  const roots = backupRoots(config, context.env);
  if (roots.length === 0) {
    throw new OperatorError(`no job in ${path} tracks its changes: give one track_changes: true`, { kind: "usage" });
  }
  return openChangeArchives(roots);
}

/** The changes of all backup directories, the newest first. */
export async function findRecorded(archives: ChangeArchives, query: ChangeQuery): Promise<FoundChange[]> {
  const { findChanges } = await import("../daemon/inspect/change-archives.ts");
  try {
    return findChanges(archives, query);
  } catch (error) {
    throw new OperatorError(`cannot read the recorded changes: ${describeError(error)}`);
  }
}

/** Without dots and slashes that say nothing; a relative path is relative to a source, not to this directory. */
export function normalPath(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const normal = resolve("/", path);
  return isAbsolute(path) ? normal : normal.slice(1);
}
