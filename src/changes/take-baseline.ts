import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ChangeLedger, KnownFile, TrackedTree } from "../model/tracked-change.ts";
import type { BackupPlaces } from "./backup-places.ts";
import { readTrackedFile } from "./read-tracked-file.ts";
import type { TrackedPath } from "./staged-file.ts";

export interface BaselineOptions {
  readonly tree: TrackedTree;
  readonly ledger: ChangeLedger;
  readonly places: BackupPlaces;
  readonly staging: { readonly directory: string };
  readonly ticket: number;
  readonly maxSize: number;
  readonly now: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The first copy of one file, before its first tracked sync. A copy that is there already, from a ledger that was
 * lost, stays the baseline; `differs` says that the file is another one now. Returns undefined for what is no file.
 * Larger files are not read.
 */
export async function takeBaseline(
  { path, file }: TrackedPath,
  options: BaselineOptions,
): Promise<{ known: KnownFile; differs: boolean } | undefined> {
  const { tree, places, staging, ticket, maxSize, now, signal } = options;
  const fits = places.fits(tree, path);
  const current = places.current(tree, path);
  const kept = fits ? await readTrackedFile(current, { maxSize, hashLarge: false, now: 0 }) : undefined;
  const read = await readTrackedFile(file, { maxSize: fits ? maxSize : -1, hashLarge: false, now, signal });
  if (read === undefined) return undefined;
  const known = { ...read.state, path, ticket };
  if (kept?.state.kind === "text") {
    if (kept.state.sha256 === read.state.sha256) return { known, differs: false };
    const { mode, uid, gid } = known;
    return { known: { ...known, ...kept.state, mode, uid, gid, stamp: "" }, differs: true };
  }
  if (read.state.kind !== "text" || read.content === null) return { known, differs: false };
  const temporary = join(staging.directory, `baseline-${ticket}`);
  // Not waited for on the disk: its checksum tells later whether it arrived there.
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(read.content);
  } finally {
    await handle.close();
  }
  await mkdir(dirname(current), { recursive: true, mode: 0o700 });
  await rename(temporary, current);
  return { known, differs: false };
}
