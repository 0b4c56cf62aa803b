import { OperatorError } from "../base/errors.ts";
import { deletesAtDestination, readRsyncWords, rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction, Target } from "../config/resolved.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { extensionWords } from "../rsync/extensions.ts";
import { structuredWords } from "../rsync/structured-words.ts";
import type { RemoteShell } from "./action-kind.ts";

/** A sync of one target, before it is decided what it carries. */
export interface SyncPlace {
  readonly dest: string;
  readonly remote: RsyncCommandSpec["remote"];
  /** What the configuration says, structured options first; a target's own bwlimit is among them. */
  readonly words: readonly string[];
  readonly progress: boolean;
  /** How a complete sync walks through the tree (`recursionWords`). */
  readonly recursion: readonly string[];
  /** Since the start of this program no complete sync has been there: it may be the first one ever. */
  readonly mayBeNew: boolean;
}

/** `way`: how the target's host is reached; undefined: it is this one. */
export function syncPlace(
  job: Job,
  action: SyncAction,
  { target, way }: { target: Target; way: RemoteShell | undefined },
): SyncPlace {
  const { endpoint } = target;
  const remote =
    endpoint === undefined || way === undefined
      ? undefined
      : {
          host: endpoint.host,
          user: endpoint.user,
          side: job.direction === "pull" ? ("source" as const) : ("dest" as const),
          shell: way.shell,
          shownShell: way.shown,
        };
  return {
    dest: target.dest ?? action.dest,
    remote,
    words: configuredWords(action, target),
    progress: action.rsync.progress !== false,
    recursion: [],
    mayBeNew: false,
  };
}

function configuredWords(action: SyncAction, target: Target): string[] {
  const options = target.bwlimit === undefined ? action.rsync : { ...action.rsync, bwlimit: target.bwlimit };
  return [...structuredWords(options), ...action.opts];
}

/** The call that copies everything. Throws an OperatorError for options that contradict each other. */
export function fullSpec(
  job: Job,
  action: SyncAction,
  { place, dryRun }: { place: SyncPlace; dryRun: boolean },
): RsyncCommandSpec {
  const names = rsyncOptionNames(place.words);
  if (action.extensions.length > 0 && names.has("delete-excluded")) {
    throw new OperatorError("extensions and delete_excluded: every file with another ending would be deleted at dest", {
      kind: "usage",
    });
  }
  return {
    ...specOf(place, dryRun),
    sources: action.sources,
    own: [
      ...commonWords(job, place),
      ...place.recursion,
      ...fullDeleteWords(job, names),
      ...extensionWords(action.extensions),
    ],
  };
}

/** What all calls for a place have in common. */
export function specOf(place: SyncPlace, dryRun: boolean): Omit<RsyncCommandSpec, "sources"> {
  return { dest: place.dest, options: { progress: place.progress }, opts: place.words, remote: place.remote, dryRun };
}

/** Within a second a file may change twice and keep its size, which whole seconds do not tell (rsync(1), -@). */
export function commonWords(job: Job, { words }: Pick<SyncPlace, "words">): string[] {
  return job.watch !== undefined && !rsyncOptionNames(words).has("modify-window") ? ["--modify-window=-1"] : [];
}

/** Whether a complete sync deletes at the destination. */
export function fullSyncDeletes(job: Job, { words }: Pick<SyncPlace, "words">): boolean {
  return job.watch?.deleteOnFull === true || [...rsyncOptionNames(words)].some(deletesAtDestination);
}

/** Deletions come last (`--delete-delay`): a sync that breaks off has deleted nothing. */
function fullDeleteWords(job: Job, names: ReadonlySet<string>): string[] {
  const deletes = [...names].some(deletesAtDestination);
  const begins = job.watch?.deleteOnFull === true && !deletes ? ["--delete-delay"] : [];
  return deletes || begins.length > 0 ? [...begins, ...maxDeleteWords(job, names)] : [];
}

/** What the guard has counted may be more by the time rsync runs: it keeps to the limit by itself. */
export function maxDeleteWords({ guard }: Job, names: ReadonlySet<string>): string[] {
  return guard.maxDelete === undefined || names.has("max-delete") ? [] : [`--max-delete=${guard.maxDelete}`];
}

/** The same call with another limit of ours; one of the user's that is lower stays. Of several rsync obeys the last. */
export function withMaxDelete(spec: RsyncCommandSpec, most: number): RsyncCommandSpec {
  const others = (spec.own ?? []).filter((word) => !word.startsWith("--max-delete="));
  const theirs = readRsyncWords(spec.opts).findLast((word) => word.kind === "option" && word.name === "max-delete");
  const limit = theirs?.kind === "option" && /^\d+$/.test(theirs.value ?? "") ? Number(theirs.value) : Infinity;
  return { ...spec, own: [...others, `--max-delete=${Math.min(limit, most)}`] };
}
