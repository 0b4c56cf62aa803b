import { AbortReason, childController } from "../base/abort.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { ActionOutcome } from "../model/run.ts";
import { parseItemizedChange } from "../rsync/itemized-changes.ts";
import { listText, listTransferWords } from "../rsync/list-words.ts";
import { type FileToCopy, partWords, wordsOfPart } from "../rsync/part-words.ts";
import { mayGoOn } from "./join-outcomes.ts";
import type { SharedProgress } from "./parallel-progress.ts";
import { endOfWay, openWay } from "./remote-way.ts";
import { runSyncCall, shownArgv } from "./sync-call.ts";
import { commonWords, specOf, type SyncPlace } from "./sync-command.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

type List = readonly FileToCopy[];

/**
 * Copies each list by an rsync of its own, side by side. One that breaks off stops the others. They hold the kernel
 * locks together: each of them keeps out whoever is not part of this job, and all are gone when this resolves.
 */
export async function copyParts(
  run: SyncRun,
  place: SyncPlace,
  { lists, destIsNew, progress }: { lists: readonly List[]; destIsNew: boolean; progress: SharedProgress },
): Promise<readonly ActionOutcome[]> {
  const stopper = childController(run.context.signal);
  const context = {
    ...run.context,
    signal: stopper.signal,
    holds: run.context.holds.map((claim) => ({ ...claim, shared: true })),
  };
  const copy = async (number: number, list: List, begun?: () => void): Promise<ActionOutcome> => {
    const onProgress = progress.ofPart(number);
    const stopOthers = () => stopper.abort(new AbortReason("cancelled", "another part of the sync failed"));
    try {
      const outcome = await copyPart({ ...run, context: { ...context, onProgress } }, place, {
        ...{ number, list, parts: lists.length, begun },
      });
      if (!mayGoOn(outcome)) stopOthers();
      return outcome;
    } catch (error) {
      stopOthers();
      throw error;
    } finally {
      begun?.();
    }
  };
  try {
    const [first = [], ...others] = lists;
    const running: Promise<ActionOutcome>[] = [];
    // Who finds no directory at the destination makes it, and two would be in each other's way.
    if (destIsNew) await new Promise<void>((resolve) => void running.push(copy(0, first, resolve)));
    else running.push(copy(0, first));
    running.push(...others.map((list, index) => copy(index + 1, list)));
    // A bug in one of them is told when the others have ended, too.
    await Promise.allSettled(running);
    return await Promise.all(running);
  } finally {
    stopper.dispose();
  }
}

interface Part {
  readonly number: number;
  readonly parts: number;
  readonly list: List;
  /** Called when it has begun to write. */
  readonly begun: (() => void) | undefined;
}

async function copyPart(run: SyncRun, place: SyncPlace, part: Part): Promise<ActionOutcome> {
  const { action, context, deps } = run;
  const { target, signal } = context;
  // The first one goes the way of the sync itself, which is not used meanwhile.
  const way =
    part.number === 0 || place.remote === undefined ? undefined : await openWay(action, target, { deps, signal });
  let how: ReturnType<typeof endOfWay> = "unclear";
  try {
    const own = way !== undefined && place.remote !== undefined;
    const remote = own ? { ...place.remote, shell: way.shell, shownShell: way.shown } : place.remote;
    const call = callOfPart(run, { ...place, remote }, part);
    const bytes = part.list.reduce((sum, file) => sum + file.bytes, 0);
    const files = part.list.length;
    context.log.info({ part: part.number + 1, files, bytes, argv: shownArgv(call.spec) }, "part of a sync started");
    const outcome = await runSyncCall(run, call);
    how = endOfWay(outcome);
    return outcome;
  } finally {
    way?.giveBack?.(how);
  }
}

function callOfPart({ job, action, context }: SyncRun, place: SyncPlace, { list, parts, begun }: Part): SyncCall {
  const opts = wordsOfPart(place.words, parts);
  const names = rsyncOptionNames(opts);
  const isTold =
    job.trackChanges !== undefined || ["i", "itemize-changes", "v", "verbose"].some((name) => names.has(name));
  const itemize = begun === undefined ? [] : ["--itemize-changes"];
  return {
    spec: {
      ...specOf(place, context.dryRun),
      sources: action.sources,
      opts,
      own: [...commonWords(job, place), ...itemize, ...listTransferWords, ...partWords(place.words)],
    },
    // By ./ the directory itself comes along, so that nobody sees into it who may not. As an entry of its own it would
    // bring all that is in it.
    stdin: listText(list.map(({ path }, index) => (index === 0 ? `./${path}` : path))),
    judgedAs: "paths",
    takeLine:
      begun === undefined
        ? undefined
        : (line) => {
            if (parseItemizedChange(line) === undefined) return false;
            begun();
            return !isTold;
          },
  };
}
