import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ChangeLedger, FileState, TrackedTree } from "../model/tracked-change.ts";
import type { BackupPlaces } from "./backup-places.ts";
import { readStamp, readTrackedFile } from "./read-tracked-file.ts";

/** A file of a tracked tree: its name in the transfer, and where it is on this host. */
export interface TrackedPath {
  readonly path: string;
  readonly file: string;
}

/** What a file was like at one moment, before it is known whether a sync carries it. */
export interface StagedFile extends TrackedPath {
  readonly ticket: number;
  /** null: there is no such file (any more). */
  readonly state: FileState | null;
  /** Name of the copy below the staging directory. */
  readonly staged: string | null;
}

/**
 * Looks at one file and keeps a copy of it if it is a text that differs from its baseline. Returns undefined when
 * nothing has changed.
 */
export async function stageFile(
  { path, file }: TrackedPath,
  options: {
    tree: TrackedTree;
    ledger: ChangeLedger;
    places: BackupPlaces;
    /** Where the copy goes: a directory below the staging directory. */
    staging: { name: string; directory: string };
    ticket: number;
    maxSize: number;
    now: number;
    signal?: AbortSignal | undefined;
  },
): Promise<StagedFile | undefined> {
  const { tree, ledger, places, staging, ticket, maxSize, now, signal } = options;
  const known = ledger.file(tree, path);
  const stamp = await readStamp(file);
  if (known !== undefined && stamp === known.stamp) return undefined;
  const limit = places.fits(tree, path) ? maxSize : -1;
  const read =
    stamp === undefined ? undefined : await readTrackedFile(file, { maxSize: limit, hashLarge: true, now, signal });
  if (read === undefined) return { path, file, ticket, state: null, staged: null };
  const same = known !== undefined && known.sha256 === read.state.sha256 && known.kind === read.state.kind;
  if (same || read.state.kind !== "text" || read.content === null) {
    return { path, file, ticket, state: read.state, staged: null };
  }
  await writeNew(join(staging.directory, String(ticket)), read.content);
  return { path, file, ticket, state: read.state, staged: join(staging.name, String(ticket)) };
}

/** Writes a file (0600) that must not be there yet, and waits until it is on the disk. */
async function writeNew(file: string, content: Buffer): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
