import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { ActionOutcome } from "../model/run.ts";
import { parseItemizedChange } from "../rsync/itemized-changes.ts";
import { destinationWords, namesNewRoot, wordsOfPart } from "../rsync/part-words.ts";
import { runOnOwnWay } from "./own-way.ts";
import { commonWords, specOf, type SyncPlace } from "./sync-command.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

export interface DestMaker {
  /** `was there`: it had not to be made, or nobody knows. Told as soon as it is known. */
  readonly dest: Promise<"made" | "was there">;
  readonly outcome: Promise<ActionOutcome>;
}

/**
 * Lets an rsync make the directory at the destination, with its attributes and nothing in it. Of several rsyncs that
 * find none each would try to make it, and all but one would fail.
 */
export function makeDest(run: SyncRun, place: SyncPlace): DestMaker {
  let hasMade: () => void = () => undefined;
  const made = new Promise<"made">((resolve) => (hasMade = () => resolve("made")));
  const outcome = runOnOwnWay(run, place, (at) => callThatMakes(run, at, hasMade));
  const ended = () => "was there" as const;
  return { outcome, dest: Promise.race([made, outcome.then(ended, ended)]) };
}

function callThatMakes({ job, action, context }: SyncRun, place: SyncPlace, hasMade: () => void): SyncCall {
  const names = rsyncOptionNames(place.words);
  const isTold =
    job.trackChanges !== undefined || ["i", "itemize-changes", "v", "verbose"].some((name) => names.has(name));
  return {
    spec: {
      ...specOf({ ...place, progress: false }, context.dryRun),
      sources: action.sources,
      opts: wordsOfPart(place.words, 1),
      own: [...commonWords(job, place), ...destinationWords(place.words)],
    },
    judgedAs: "paths",
    takeLine: (line) => {
      if (namesNewRoot(line)) hasMade();
      return !isTold && parseItemizedChange(line) !== undefined;
    },
  };
}
