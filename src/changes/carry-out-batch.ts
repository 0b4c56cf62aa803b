import { lstatSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import type { ChangeLedger, UnfinishedBatch } from "../model/tracked-change.ts";
import type { BackupPlaces } from "./backup-places.ts";
import { appendToLog, type ChangeLogSettings, missingEntries, prepareLog } from "./change-log.ts";
import { splitLogEntries } from "./log-entry.ts";

/** The text of a batch for the change log lies beside its staged files. */
export const logTextName = "log";

export interface CarryOutOptions {
  readonly ledger: ChangeLedger;
  readonly places: BackupPlaces;
  readonly log: ChangeLogSettings;
  /** Told of each step before it is done; only tests listen. */
  readonly step: (name: string) => void;
}

/**
 * Does what a batch has decided: baselines become previous copies, staged files become baselines, the change log
 * gets its entries. Whatever was done before a crash is recognised and not done again. Throws the system error
 * when something does not work; the batch then stays unfinished, and is carried out later.
 */
export async function carryOutBatch(batch: UnfinishedBatch, options: CarryOutOptions): Promise<void> {
  const { ledger, places, step } = options;
  if (batch.log === null) {
    // What is gone makes room for what has come: a directory where a file was.
    const deletedFirst = batch.changes.toSorted(
      (a, b) => Number(a.change !== "deleted") - Number(b.change !== "deleted"),
    );
    const move = createMover(step);
    for (const { path, copy, staged, change } of deletedFirst) {
      const current = places.current(batch.tree, path);
      const next = staged === null ? undefined : join(places.staging, staged);
      if (copy !== null) {
        const kept = join(places.root, copy);
        // Once the staged file has become the baseline, the old one is no longer there to be moved.
        const mayMove = next === undefined || isFile(next);
        if (mayMove && !isFile(kept) && isFile(current)) await move(current, kept);
      }
      if (next !== undefined && isFile(next)) await becomeBaseline(next, current, move);
      else if (next === undefined) await dropBaseline(current, change === "deleted", places.currentRoot(batch.tree));
    }
    step("sync directories");
    for (const path of directoriesOf(batch, places)) await syncDirectory(path);
  }
  await writeLog(batch, options);
  step("finish");
  ledger.finish(batch.id);
  step("remove staging");
  await rm(places.stagingOf(batch.id), { recursive: true, force: true });
}

async function writeLog(batch: UnfinishedBatch, { ledger, places, log, step }: CarryOutOptions): Promise<void> {
  const entries = splitLogEntries(await readFile(join(places.stagingOf(batch.id), logTextName)));
  if (batch.log === null) {
    step("prepare log");
    const position = prepareLog(log);
    step("note log position");
    ledger.setLogPosition(batch.id, position);
    step("append to log");
    return appendToLog(log.file, entries, step);
  }
  const missing = missingEntries(batch.log, batch.id, entries);
  step("append the rest");
  prepareLog({ ...log, maxSize: Infinity });
  appendToLog(log.file, missing, step);
}

type Move = (from: string, to: string) => Promise<void>;

/** Renames; each directory is made once. */
function createMover(step: CarryOutOptions["step"]): Move {
  const made = new Set<string>();
  return async (from, to) => {
    const directory = dirname(to);
    if (!made.has(directory)) {
      step(`make ${directory}`);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      made.add(directory);
    }
    step(`move to ${to}`);
    await rename(from, to);
  };
}

/** What is in the way of a baseline is nothing that the ledger knows: somebody else put it there. */
async function becomeBaseline(staged: string, current: string, move: Move): Promise<void> {
  try {
    await move(staged, current);
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (!["EISDIR", "ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(code)) throw error;
    for (let path = dirname(current); code !== "EISDIR" && path.length > 1; path = dirname(path)) {
      if (isFile(path)) await rm(path);
    }
    await rm(current, { recursive: true, force: true });
    await move(staged, current);
  }
}

/** Nothing takes the place of a baseline: the file is gone, or is no text any more. */
async function dropBaseline(current: string, withDirectories: boolean, root: string): Promise<void> {
  if (isFile(current)) await rm(current);
  for (let path = dirname(current); withDirectories && path.length > root.length; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT") return;
    }
  }
}

/** Every directory that an entry of may be new in, or gone from. */
function directoriesOf({ tree, changes }: UnfinishedBatch, places: BackupPlaces): Set<string> {
  const found = new Set<string>();
  for (const { path, copy } of changes) {
    for (const file of [places.current(tree, path), ...(copy === null ? [] : [join(places.root, copy)])]) {
      for (let directory = dirname(file); directory.length >= places.root.length; directory = dirname(directory)) {
        if (found.has(directory)) break;
        found.add(directory);
      }
    }
  }
  return found;
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  }
}

export async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    // It was removed because it became empty, which its parent tells.
    if (!["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) throw error;
  }
}
