import type { AcquireAnswer } from "../transport/lock-transport.ts";
import { describePlace } from "../look.ts";
import type { TakenLock } from "../release-locks.ts";
import type { LockTarget } from "../transport/transport-pool.ts";

/** A claim that found its own token: the job's list names this file a second time. */
export interface Twin {
  /** Host and path are the same, and only the way is another: one lock. Otherwise `detail` says what is wrong. */
  readonly isOneName: boolean;
  readonly detail: string;
}

/**
 * Names do not tell that they lead to one file: a host has several, and a directory may be reached by a link. The token
 * does, for each attempt has one of its own and asks for each lock once. Were it taken twice, to give it back the
 * second time would find it gone, as if somebody had broken it.
 */
export function findTwin(
  target: LockTarget,
  answer: AcquireAnswer | undefined,
  taken: readonly TakenLock[],
): Twin | undefined {
  if (answer?.kind !== "acquired" || answer.already !== true) return undefined;
  const before = taken.filter(({ certain }) => certain).map((lock) => lock.target);
  if (before.length === 0) return undefined;
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  // Links to directories and other names of hosts leave the last name as it is.
  const alike = before.filter(({ path }) => nameOf(path) === nameOf(target.path));
  const names = (alike.length > 0 ? alike : before).map(({ place }) => describePlace(place));
  const own = describePlace(target.place);
  const way = names.includes(own) ? " by another port or jump host" : "";
  return {
    isOneName: before.some(({ key }) => key === target.key),
    detail: `it is the same file as ${names.join(" or ")}${way}: name it only once in lock_files`,
  };
}
