import { formatDuration } from "../base/duration.ts";
import type { Unwatched } from "./adopt-tree.ts";

export interface TreeWatchState {
  readonly root: string;
  /** Whether the root is there and watched; parts of it may not be, see `degraded`. */
  readonly watching: boolean;
  /** Directories that are watched. */
  readonly directories: number;
  /** Directories that are not, for want of watches or of permission. */
  readonly unwatched: number;
  /** What is not seen, why, what happens instead and what to do about it; null: all is seen. */
  readonly degraded: string | null;
  /** Whether something was heard that has not been looked at and reported yet. */
  readonly settling: boolean;
}

/** What of several roots is told of the whole. */
export function joinWatchStates(states: readonly Pick<TreeWatchState, "directories" | "degraded">[]): {
  directories: number;
  degraded: string | null;
} {
  return {
    directories: states.reduce((sum, { directories }) => sum + directories, 0),
    degraded: states.map(({ degraded }) => degraded).find((reason) => reason !== null) ?? null,
  };
}

/** Why the root itself is not watched: it is not there, or the code of what was refused. */
export type RootProblem = { readonly kind: "missing" } | { readonly kind: "refused"; readonly code: string };

export function describeDegradation({
  root,
  rootProblem,
  unwatched,
  directories,
  limit,
  scanMs,
}: {
  readonly root: string;
  readonly rootProblem: RootProblem | null;
  readonly unwatched: Unwatched;
  readonly directories: number;
  readonly limit: number;
  readonly scanMs: number;
}): string | null {
  const parts: string[] = [];
  if (rootProblem?.kind === "missing")
    return `${root} is not there; it is watched, and synced completely, when it is back`;
  if (rootProblem?.kind === "refused")
    parts.push(`${root} cannot be watched (${rootProblem.code}); it is tried again, and synced completely then`);
  const { shortage, unreadable } = unwatched;
  if (shortage !== null) parts.push(describeShortage({ root, shortage, directories, limit, scanMs }));
  const [first] = unreadable;
  if (first !== undefined && rootProblem === null)
    parts.push(
      `${unreadable.size} directories below ${root} cannot be read and are not watched, ${first[0]} (${first[1].code}) among them; they are tried again`,
    );
  return parts.length === 0 ? null : parts.join(". ");
}

function describeShortage({
  root,
  shortage,
  directories,
  limit,
  scanMs,
}: {
  root: string;
  shortage: NonNullable<Unwatched["shortage"]>;
  directories: number;
  limit: number;
  scanMs: number;
}): string {
  const instead = `what changes in them is found by a complete sync every ${formatDuration(scanMs)}`;
  const which = `${shortage.count} of ${shortage.count + directories} directories of ${root} are not watched`;
  if (shortage.code !== "ENOSPC")
    return `${which}: the kernel gives no queue of events (${shortage.code}); ${instead}. To be raised: the sysctl fs.inotify.max_user_instances, or the limit of open files`;
  const enough = 2 ** Math.ceil(Math.log2((shortage.count + directories) * 2 + 8192));
  return `${which}: the watches of this user are used up, of which there are ${limit}; ${instead}. To be raised: sysctl fs.inotify.max_user_watches=${enough}`;
}
