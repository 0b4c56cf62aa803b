import { rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import type { ChangeLedger, CopyLimits } from "../model/tracked-change.ts";
import type { BackupPlaces } from "./backup-places.ts";

/** So many copies go after one sync; what is left goes after the next. */
const roundLimit = 1000;
const rounds = 10;
/** So many entries without a copy stay in the ledger. */
const entryLimit = 100_000;

/** Removes previous copies beyond the limits, never a baseline; returns how many. */
export async function pruneCopies(ledger: ChangeLedger, places: BackupPlaces, limits: CopyLimits): Promise<number> {
  let removed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const surplus = ledger.surplusCopies(limits, roundLimit);
    for (const { copy } of surplus) await removeCopy(join(places.root, copy), join(places.root, "versions"));
    // After the files: a crash in between leaves entries whose copy is gone, and the next round drops them.
    ledger.dropCopies(surplus.map(({ id }) => id));
    removed += surplus.length;
    if (surplus.length < roundLimit) break;
  }
  ledger.dropEntries(entryLimit, roundLimit);
  return removed;
}

async function removeCopy(file: string, root: string): Promise<void> {
  await rm(file, { force: true });
  for (let path = dirname(file); path.length > root.length; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") return;
    }
  }
}
