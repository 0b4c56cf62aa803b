import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { removeFileSync, writeFileAtomicallySync } from "../../base/atomic-file.ts";
import { describeError, OperatorError, systemErrorCode } from "../../base/errors.ts";
import type { Pause } from "../../model/status.ts";

/** Which jobs are paused, by id. */
export type PausedJobs = ReadonlyMap<string, Pause>;

/**
 * Reads what `writePauses` wrote; no file: no job is paused. Throws an `OperatorError` when it cannot be read:
 * nobody can say then which jobs must not run, and to run them all would be a guess.
 */
export function readPauses(file: string): PausedJobs {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw unreadable(file, describeError(error));
  }
  const pauses = parsePauses(text);
  if (pauses === undefined) throw unreadable(file, "it is damaged, or was written by a newer version");
  return pauses;
}

/** Throws the system error when the file cannot be written, and leaves it as it was. */
export function writePauses(file: string, pauses: PausedJobs): void {
  // To remove it needs no space: a full disk keeps no job paused.
  if (pauses.size === 0) return removeIfThere(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
  const jobs = Object.fromEntries(pauses);
  writeFileAtomicallySync(file, `${JSON.stringify({ v: 1, jobs }, undefined, 1)}\n`, { mode: 0o640 });
}

function removeIfThere(file: string): void {
  try {
    removeFileSync(file);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}

function unreadable(file: string, why: string): OperatorError {
  const remedy = "mend it, or remove it to let all jobs run";
  return new OperatorError(`which jobs are paused cannot be told: ${file}: ${why}; ${remedy}`);
}

/** Undefined: not a file of ours, or a damaged one. */
function parsePauses(text: string): PausedJobs | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["v"] !== 1 || !isObject(value["jobs"])) return undefined;
  const jobs = Object.entries(value["jobs"]);
  return jobs.every((entry): entry is [string, Pause] => isPause(entry[1])) ? new Map(jobs) : undefined;
}

function isPause(value: unknown): value is Pause {
  if (!isObject(value)) return false;
  const { since, until, by, reason } = value;
  return (
    Number.isSafeInteger(since) &&
    (until === null || Number.isSafeInteger(until)) &&
    typeof by === "string" &&
    (reason === null || typeof reason === "string")
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
