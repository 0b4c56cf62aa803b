import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describeError, systemErrorCode } from "../base/errors.ts";
import type { Job, SyncAction } from "../config/resolved.ts";
import { checkLocalSources, unlessAborted } from "./source-check.ts";

/** What a sync is about to do, as far as the guard cares. */
export interface GuardedSync {
  /** The sources are on this host. */
  readonly readsHere: boolean;
  readonly deletes: boolean;
  readonly signal: AbortSignal;
}

/**
 * Looks at this host's side before a sync; returns why it must not begin. Whatever it is may pass: a disk that is
 * not mounted yet.
 */
export async function checkGuard(job: Job, { sources }: SyncAction, sync: GuardedSync): Promise<string | undefined> {
  const { readsHere, deletes, signal } = sync;
  const { requirePaths, nonEmpty } = job.guard;
  for (const required of requirePaths) {
    const isRelative = !required.startsWith("/");
    const places = isRelative ? (readsHere ? sources.map((source) => join(source, required)) : []) : [required];
    for (const path of places) {
      const problem = await unlessAborted(checkRequired(path), signal);
      if (problem !== undefined) return problem;
    }
  }
  return readsHere ? checkLocalSources(sources, { deletes: deletes && nonEmpty, signal }) : undefined;
}

async function checkRequired(path: string): Promise<string | undefined> {
  try {
    await stat(path);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") {
      return `guard.require_path ${JSON.stringify(path)} is not there: is the disk mounted?`;
    }
    return `guard.require_path ${JSON.stringify(path)} cannot be looked at: ${describeError(error)}`;
  }
}
