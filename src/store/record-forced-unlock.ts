import { randomUUID } from "node:crypto";
import { chownSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { describeError, systemErrorCode } from "../base/errors.ts";
import { openHistoryFile } from "./database.ts";
import { inodeOf } from "./database-file.ts";
import { loadLibsqlDriver } from "./libsql-driver.ts";
import { recordLockEvent, type LockEventRecord } from "./lock-events.ts";
import { SqlError } from "./sql-database.ts";

/** Longer than a director ever keeps the database busy; it waits for nobody else. */
const busyTimeoutMs = 5000;

/**
 * Writes to the history that a person removed a lock, beside a director that may be running. `owner`: whose
 * lock it was; `detail`: who removed it, and by what command. Answers why it could not be written, in words, or
 * undefined: a lock is broken whether the history works or not.
 */
export async function recordForcedUnlock(
  file: string,
  event: Omit<LockEventRecord, "kind">,
): Promise<string | undefined> {
  try {
    const isNew = inodeOf(file) === undefined;
    const { database } = openHistoryFile(await loadLibsqlDriver(), file, busyTimeoutMs);
    try {
      database.transaction(() => recordLockEvent(database, randomUUID(), { ...event, kind: "forced" }));
    } finally {
      database.close();
    }
    if (isNew) giveToOwnerOfDirectory(file);
    return undefined;
  } catch (error) {
    if (error instanceof SqlError || systemErrorCode(error) !== undefined) return describeError(error);
    throw error;
  }
}

/** A file that root has made here first must not keep the director's own account out. */
function giveToOwnerOfDirectory(file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(file));
  for (const name of [file, `${file}-journal`]) if (inodeOf(name) !== undefined) chownSync(name, uid, gid);
}
