import { backupPlaces } from "../../changes/backup-places.ts";
import type { ChangeArchive } from "../../changes/read-copies.ts";
import type { Config } from "../../config/resolved.ts";
import type { ChangeQuery, RecordedChange } from "../../model/tracked-change.ts";
import { readChangeLedger } from "../../store/open-change-ledger.ts";
import { changesDirectory } from "../paths.ts";

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

/** The backup directories of a configuration, each once; empty: no job is tracked. */
export function backupRoots(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  const roots = config.jobs.flatMap(({ trackChanges }) =>
    trackChanges === undefined ? [] : changesDirectory(trackChanges, { config, env }),
  );
  return [...new Set(roots)];
}

/** Opens those in which something was recorded. Throws an `OperatorError` when one cannot be read. */
export async function openChangeArchives(roots: readonly string[]): Promise<ChangeArchives> {
  const archives: ChangeArchive[] = [];
  const close = () => archives.forEach(({ reader }) => reader.close());
  try {
    for (const root of roots) {
      const reader = await readChangeLedger(backupPlaces(root).ledger);
      if (reader !== undefined) archives.push({ root, reader });
    }
  } catch (error) {
    close();
    throw error;
  }
  return { archives, close };
}

/** The changes of all backup directories, the newest first. Throws when one cannot be read. */
export function findChanges({ archives }: Pick<ChangeArchives, "archives">, query: ChangeQuery): FoundChange[] {
  return archives
    .flatMap((archive) => archive.reader.changes(query).map((change) => ({ archive, change })))
    .toSorted((a, b) => b.change.at - a.change.at || b.change.id - a.change.id)
    .slice(0, query.limit);
}
