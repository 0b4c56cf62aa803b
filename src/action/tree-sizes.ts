import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction, Target } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";

/** How many files the last complete sync of each action saw at each target. */
export interface TreeSizes {
  /** undefined: not known. */
  lastKnown(job: Job, action: SyncAction, target: Target): number | undefined;
  learn(job: Job, action: SyncAction, options: { target: Target; outcome: ActionOutcome }): void;
}

export function createTreeSizes(): TreeSizes {
  const sizes = new Map<string, number>();
  const key = (job: Job, action: SyncAction, target: Target) => JSON.stringify([job.id, action.id, target.id]);
  return {
    lastKnown: (job, action, target) => sizes.get(key(job, action, target)),
    learn: (job, action, { target, outcome }) => {
      const files = outcome.report?.stats?.filesTotal;
      if (typeof files === "number") sizes.set(key(job, action, target), files);
    },
  };
}

/** From here on a batch of directories costs more time on its way than rsync needs to look at it. */
const farMs = 5;
/** rsync sends a first batch of so many entries anyway (MIN_FILECNT_LOOKAHEAD, flist.c). */
const fewFiles = 1000;
/** About 100 bytes for each on either side: 50 MB. */
const manyFiles = 500_000;

/**
 * rsync walks through a tree in batches and waits at each for the other side; far away that is most of a sync which
 * finds little to do. With `--no-inc-recursive` there is one list and one wait, for memory that grows with the tree and
 * a start after the whole tree was read. So it is for trees of a known, middling size, far away, whose sync does not
 * say itself how it wants to walk.
 */
export async function recursionWords(
  action: SyncAction,
  words: readonly string[],
  known: { files: number | undefined; roundTrip: (() => Promise<number | undefined>) | undefined },
): Promise<string[]> {
  // Who is split is looked at first, and far away in one list: its size is not known before.
  const { files = action.parallel > 1 ? fewFiles : undefined, roundTrip } = known;
  if (action.rsync.recursion === "incremental" || roundTrip === undefined || files === undefined) return [];
  if (files < fewFiles || files > manyFiles || walksItsOwnWay(words)) return [];
  const ms = await roundTrip();
  return ms !== undefined && ms >= farMs ? ["--no-inc-recursive"] : [];
}

/** Who chooses a kind of recursion, and what makes rsync read the whole tree first by itself (rsync(1)). */
const ownWays: ReadonlySet<string> = new Set([
  ...["inc-recursive", "i-r", "no-inc-recursive", "no-i-r", "no-recursive", "no-r"],
  ...["delete-before", "delete-after", "delay-updates", "prune-empty-dirs", "m", "qsort"],
]);

function walksItsOwnWay(words: readonly string[]): boolean {
  const names = rsyncOptionNames(words);
  const recurses = ["a", "archive", "r", "recursive"].some((name) => names.has(name));
  return !recurses || [...names].some((name) => ownWays.has(name));
}
