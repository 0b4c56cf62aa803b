import { isAbsolute, resolve } from "node:path";
import { describeError, OperatorError } from "../base/errors.ts";
import type { ChangeArchive } from "../changes/read-copies.ts";
import type { RecordedChange } from "../model/tracked-change.ts";
import type { CommandContext } from "./command-context.ts";
import { configPath } from "./config-option.ts";

/** Where the jobs of a configuration keep their changes. */
export interface ChangeArchives {
  readonly archives: readonly ChangeArchive[];
  close(): void;
}

/** A change and the backup directory it is in. */
export interface FoundChange {
  readonly archive: ChangeArchive;
  readonly change: RecordedChange;
}

/** Opens every backup directory of a configuration. Throws an `OperatorError` when no job of it is tracked. */
export async function openArchives(
  options: { config?: string; job?: string },
  context: CommandContext,
): Promise<ChangeArchives> {
  const path = configPath(options.config, context.env);
  const [{ loadConfig }, { changesDirectory }, { readChangeLedger }, { backupPlaces }] = await Promise.all([
    import("../config/load.ts"),
    import("../daemon/paths.ts"),
    import("../store/open-change-ledger.ts"),
    import("../changes/backup-places.ts"),
  ]);
  const { config } = await loadConfig(path, { env: context.env });
  if (options.job !== undefined && !config.jobs.some(({ id }) => id === options.job)) {
    throw new OperatorError(`there is no job "${options.job}" in ${path}`, { kind: "usage" });
  }
  const roots = config.jobs.flatMap(({ trackChanges }) =>
    trackChanges === undefined ? [] : changesDirectory(trackChanges, { config, env: context.env }),
  );
  if (roots.length === 0) {
    throw new OperatorError(`no job in ${path} tracks its changes: give one track_changes: true`, { kind: "usage" });
  }
  const archives: ChangeArchive[] = [];
  for (const root of new Set(roots)) {
    const reader = await readChangeLedger(backupPlaces(root).ledger);
    if (reader !== undefined) archives.push({ root, reader });
  }
  return { archives, close: () => archives.forEach(({ reader }) => reader.close()) };
}

/** The changes of all backup directories, the newest first. */
export function findChanges(
  { archives }: ChangeArchives,
  query: Parameters<ChangeArchive["reader"]["changes"]>[0],
): FoundChange[] {
  try {
    return archives
      .flatMap((archive) => archive.reader.changes(query).map((change) => ({ archive, change })))
      .toSorted((a, b) => b.change.at - a.change.at || b.change.id - a.change.id)
      .slice(0, query.limit);
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
