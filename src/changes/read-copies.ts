import { join } from "node:path";
import type { ChangeLedgerReader, RecordedChange } from "../model/tracked-change.ts";
import { backupPlaces } from "./backup-places.ts";
import { readTrackedFile } from "./read-tracked-file.ts";
import { builtinDiffer, type Difference } from "./unified-diff.ts";

/** A backup directory as the command line reads it, whether a director runs or not. */
export interface ChangeArchive {
  readonly root: string;
  readonly reader: ChangeLedgerReader;
}

/** The file as it was before the change; undefined: no copy is kept (any more), or it is damaged. */
export function readBefore({ root }: ChangeArchive, { copy, before }: RecordedChange): Promise<Buffer | undefined> {
  return copy === null ? Promise.resolve(undefined) : readExactly(join(root, copy), before?.sha256);
}

/** The file as it was after the change: the next one's previous copy, or the baseline. */
function readAfter({ root, reader }: ChangeArchive, change: RecordedChange): Promise<Buffer | undefined> {
  const next = reader.nextChange(change);
  if (next?.copy !== null && next !== undefined) return readExactly(join(root, next.copy), change.after?.sha256);
  return readExactly(backupPlaces(root).current(change, change.path), change.after?.sha256);
}

/** The difference that a change made, from the copies that are kept. */
export async function differenceOf(archive: ChangeArchive, change: RecordedChange): Promise<Difference> {
  const { before, after } = change;
  if (change.change !== "modified") return { kind: "none", why: `the file was ${change.change}` };
  if (before?.kind !== "text" || after?.kind !== "text") return { kind: "none", why: "it is no text, or too large" };
  const [old, now] = [await readBefore(archive, change), await readAfter(archive, change)];
  if (old === undefined || now === undefined) {
    return { kind: "none", why: "its copies are not kept any more; the change log may have it" };
  }
  return builtinDiffer({ file: "", content: old }, { file: "", content: now });
}

async function readExactly(file: string, sha256: string | null | undefined): Promise<Buffer | undefined> {
  const read = await readTrackedFile(file, { maxSize: Number.MAX_SAFE_INTEGER, hashLarge: false, now: 0 });
  return read !== undefined && read.content !== null && read.state.sha256 === sha256 ? read.content : undefined;
}
