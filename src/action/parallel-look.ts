import { keepRsyncOptions } from "../base/rsync-words.ts";
import type { ActionOutcome } from "../model/run.ts";
import { type FileToCopy, lookWords, readLookLine, wordsOfLook } from "../rsync/part-words.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { runSyncCall } from "./sync-call.ts";
import type { SyncRun } from "./sync-run.ts";

/** What a sync would do now. */
export interface Look {
  /** In rsync's order; files whose names no list can hold are missing, and those in whose place something has to go. */
  readonly files: readonly FileToCopy[];
  /** The directory at the destination has to be made. */
  readonly destIsNew: boolean;
  readonly outcome: ActionOutcome;
}

export type LookResult = Look | { readonly problem: ActionOutcome } | { readonly unclear: string };

/** So many files are kept in mind; what is beyond them the last rsync copies. */
const mostFiles = 1_000_000;

/** rsync has seen everything: success, files that vanished meanwhile, and the user's own --max-delete. */
const sawAll: readonly (number | null)[] = [0, 24, 25];

/**
 * Asks rsync, by a dry run of the very same call, which files it would transfer. `unclear`: it does not say, and the
 * sync itself may tell why.
 */
export async function lookAhead(run: SyncRun, spec: RsyncCommandSpec): Promise<LookResult> {
  const files: FileToCopy[] = [];
  /** What goes, and the directories above it, in whose place there may be a file. */
  const deleted = new Set<string>();
  let destIsNew = false;
  const own = (spec.own ?? []).filter((word) => !word.startsWith("--max-delete="));
  const context = { ...run.context, onProgress: () => undefined, onOutput: () => undefined };
  const outcome = await runSyncCall(
    { ...run, context },
    {
      spec: {
        ...spec,
        dryRun: true,
        options: { ...spec.options, progress: false },
        opts: wordsOfLook(spec.opts),
        own: [...own, ...lookWords],
      },
      judgedAs: "paths",
      onChange: () => undefined,
      takeLine: (line) => {
        const found = readLookLine(line);
        if (found === undefined) return false;
        if (found === "other") return true;
        if (found === "new root") destIsNew = true;
        else if ("deleted" in found) addWithParents(deleted, found.deleted);
        else if (files.length < mostFiles) files.push(found.file);
        return true;
      },
    },
  );
  if (outcome.kind === "cancelled" || outcome.report?.turnedAway === true) return { problem: outcome };
  if (outcome.report === null || !sawAll.includes(outcome.report.exitCode)) {
    return { unclear: "message" in outcome ? outcome.message : "rsync does not say what it would copy" };
  }
  // Only --delete makes room for a file where a directory is.
  return { files: files.filter(({ path }) => !deleted.has(path)), destIsNew, outcome };
}

/** In `/proc` nobody can make anything, and no process has that number. */
const nowhere = "/proc/0/nowhere";

/**
 * What a push would transfer to where there is nothing: that says the rsync of this host, without asking the other one.
 */
export function lookHere(run: SyncRun, spec: RsyncCommandSpec): Promise<LookResult> {
  const context = { ...run.context, holds: [] };
  // Its directory is one of the other host.
  const opts = keepRsyncOptions(spec.opts, (name) => name !== "temp-dir");
  return lookAhead({ ...run, context }, { ...spec, opts, dest: nowhere, remote: undefined });
}

function addWithParents(paths: Set<string>, path: string): void {
  for (let at = path; at !== "" && !paths.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) paths.add(at);
}
