import { createHash } from "node:crypto";
import type { Job, Watch } from "../config/resolved.ts";
import type { ChangeDestination } from "../model/changes.ts";

/**
 * Stands for all that decides where a sync leads from and to, and what of the source it takes. When it changes,
 * what was sent before says nothing about the target any more.
 */
export function fingerprintOf(job: Job, { actionId, targetId }: ChangeDestination): string {
  const action = job.actions.find(({ id }) => id === actionId);
  const target = job.targets.find(({ id }) => id === targetId);
  const { host, user, port } = target?.endpoint ?? {};
  // In how many parts something is copied changes nothing of it.
  const what = action?.kind === "sync" ? { ...action, parallel: undefined } : action;
  return digest([what, target?.dest, host, user, port]);
}

/** Stands for all that decides which files are watched. When it changes, others may have changed that nobody has seen. */
export function watchedFingerprintOf({ paths, extensions, include, exclude }: Watch): string {
  return digest([paths.toSorted(), extensions.toSorted(), include, exclude]);
}

function digest(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 22);
}
