import { AbortReason, childController } from "../base/abort.ts";
import type { ActionOutcome } from "../model/run.ts";
import { listText, listTransferWords } from "../rsync/list-words.ts";
import { type FileToCopy, partWords, wordsOfPart } from "../rsync/part-words.ts";
import { mayGoOn } from "./join-outcomes.ts";
import { runOnOwnWay } from "./own-way.ts";
import { makeDest } from "./parallel-dest.ts";
import type { SharedProgress } from "./parallel-progress.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import { commonWords, specOf, type SyncPlace } from "./sync-command.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

type List = readonly FileToCopy[];

export interface PartsPlan {
  readonly lists: readonly List[];
  readonly progress: SharedProgress;
  /** `new`: the lists are for a destination that has to be made; `new?`: they are, and nothing is copied if it was there. */
  readonly dest: "old" | "new" | "new?";
}

/** The same with kernel locks that parts, which may just be ending at the other side, can hold as well. */
export function besideParts(run: SyncRun): SyncRun {
  const holds = run.context.holds.map((claim) => ({ ...claim, shared: true }));
  return { ...run, context: { ...run.context, holds } };
}

/**
 * Copies each list by an rsync of its own, side by side. One that breaks off stops the others. They hold the kernel
 * locks together: each of them keeps out whoever is not part of this job, and all are gone when this resolves.
 */
export async function copyParts(
  run: SyncRun,
  place: SyncPlace,
  { lists, progress, dest }: PartsPlan,
): Promise<readonly ActionOutcome[] | "dest was there"> {
  const stopper = childController(run.context.signal);
  let isNeedless = false;
  const context: SyncRun["context"] = {
    ...besideParts(run).context,
    signal: stopper.signal,
    // That they are stopped then is no trouble that anybody should read of.
    onOutput: (stream, line) => {
      if (!isNeedless) run.context.onOutput(stream, line);
    },
  };
  const stop = (why: string) => stopper.abort(new AbortReason("cancelled", why));
  const watch = async (part: Promise<ActionOutcome>): Promise<ActionOutcome> => {
    try {
      const outcome = await part;
      if (!mayGoOn(outcome)) stop("another part of the sync failed");
      return outcome;
    } catch (error) {
      stop("another part of the sync failed");
      throw error;
    }
  };
  try {
    // By the slash it is taken for a directory also where there is none (any more): a single file would be written in its
    // place, and a directory in that of a file.
    const at = { ...place, dest: place.dest.endsWith("/") ? place.dest : `${place.dest}/` };
    const maker = dest === "old" ? undefined : makeDest({ ...run, context }, at);
    const isWanted = Promise.resolve(maker?.dest).then((was) => dest !== "new?" || was === "made");
    const parts = lists.map((list, number) => {
      const onProgress = progress.ofPart(number);
      return copyPart({ ...run, context: { ...context, onProgress } }, at, {
        ...{ number, list, parts: lists.length, isWanted },
      });
    });
    const all = [...parts, ...(maker === undefined ? [] : [maker.outcome])].map(watch);
    const ended = Promise.allSettled(all);
    const mayLeave = maker !== undefined && !(await isWanted);
    isNeedless = mayLeave && (await maker.outcome.then(mayGoOn, () => false));
    if (isNeedless) stop("the destination was there");
    // A bug in one of them is told when the others have ended, too.
    await ended;
    const outcomes = await Promise.all(all);
    return isNeedless ? "dest was there" : outcomes;
  } finally {
    stopper.dispose();
  }
}

interface Part {
  readonly number: number;
  readonly parts: number;
  readonly list: List;
  /** It is given its list only then. By that time it has logged in, and rsync has been started at the other side. */
  readonly isWanted: Promise<boolean>;
}

async function copyPart(run: SyncRun, place: SyncPlace, part: Part): Promise<ActionOutcome> {
  // The first one goes the way of the sync itself, which is not used meanwhile.
  if (part.number === 0) return runSyncCall(run, callOfPart(run, place, part));
  return runOnOwnWay(run, place, (at) => callOfPart(run, at, part));
}

function callOfPart(
  { job, action, context }: SyncRun,
  place: SyncPlace,
  { number, list, parts, isWanted }: Part,
): SyncCall {
  const spec = {
    ...specOf(place, context.dryRun),
    sources: place.remote?.side === "source" ? action.sources.map(withTildeInReach) : action.sources,
    opts: wordsOfPart(place.words, parts),
    own: [...commonWords(job, place), ...listTransferWords, ...partWords(place.words)],
  };
  const begin = (): string => {
    const bytes = list.reduce((sum, file) => sum + file.bytes, 0);
    const argv = shownArgv(spec);
    context.log.info({ part: number + 1, files: list.length, bytes, argv }, "part of a sync started");
    return listText(list.map(({ path }) => path));
  };
  // Who is to be stopped gets no list at all: with an empty one it would go on.
  const never = new Promise<string>(() => undefined);
  const stdin = isWanted.then((wanted) => (wanted && !context.signal.aborted ? begin() : never));
  return { spec, stdin, judgedAs: "paths" };
}

/**
 * The client of rsync hides a `~` from the shell of the other host where it sends a list, unless there is a `/./` behind
 * it, which leads to the same directory.
 */
function withTildeInReach(source: string): string {
  return source.replace(/^~[^/]*\//, "$&./");
}
