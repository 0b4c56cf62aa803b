import { lstat } from "node:fs/promises";
import type { ChangeKind } from "../model/changes.ts";
import { adopt, type AdoptContext, codeOf, disown, identityAt, isGone, type Unwatched } from "./adopt-tree.ts";
import { type EntryName, joinByteString, joinDiskPath, showPath } from "./disk-path.ts";
import { runLimited } from "./run-limited.ts";
import { childOf, eachDirectory, handOver, itself, outdate, type WatchedDirectory } from "./watched-directory.ts";

/**
 * What was heard of an entry, each outdoing the one before. `changed`: its content or attributes did. `renamed`: it may
 * have come, gone or been exchanged; of a directory Node says so, too, when its attributes changed. `doubtful`: the
 * same of what was not known, or was being read, so that the watch may be on one and the rest known of another. `exchanged`: it surely
 * was.
 */
export type Hearsay = "changed" | "renamed" | "doubtful" | "exchanged";

const strength: Readonly<Record<Hearsay, number>> = { changed: 0, renamed: 1, doubtful: 2, exchanged: 3 };

export function stronger(one: Hearsay | undefined, other: Hearsay): Hearsay {
  return one !== undefined && strength[one] > strength[other] ? one : other;
}

export interface SettleContext extends AdoptContext {
  readonly unwatched: Unwatched;
  report(path: string, kind: ChangeKind): void;
  /** Something changed that cannot be named, or nobody can say what: `everything` for this reason. */
  cannotTell(reason: string): void;
  /** The directory above is to look at an entry. */
  hear(directory: WatchedDirectory, name: EntryName, hearsay: Hearsay): void;
  /** Whether the directory was moved, perhaps, since the batch was begun. */
  mayHaveMoved(directory: WatchedDirectory): Promise<boolean>;
  /** The root is not what was watched any more. */
  suspectRoot(): void;
  /** The root is where it was, and the watch on it may have ended. */
  doubtRoot(): void;
  /** Whether something was heard of a directory itself. */
  hasHeardOfItself(directory: WatchedDirectory): boolean;
  /** Whether that was heard and the one above has not heard of it, as it does of all but an unmount. */
  mayBeDead(directory: WatchedDirectory): boolean;
  /** false: file systems were mounted or unmounted, and all that is known is void. */
  mountsAreTheSame(): Promise<boolean>;
}

/**
 * Looks at the entries of a directory of which something was heard, and reports what is there now. A deletion is
 * reported only if the directory is still the one that is watched: what is not seen because something was mounted or
 * unmounted is not deleted.
 */
export async function settleEntries(
  directory: WatchedDirectory,
  heard: ReadonlyMap<EntryName, Hearsay>,
  context: SettleContext,
): Promise<void> {
  const gone: EntryName[] = [];
  const directories: EntryName[] = [];
  await runLimited([...heard], async ([name, hearsay]) => {
    if (name === itself) return;
    const found = await lookAt(directory, name);
    if (found === "file") await settleFile(directory, name, context);
    else if (found === "directory") await settleDirectory(directory, name, hearsay, { context, directories });
    else if (found !== "gone") context.cannotTell(`${pathOf(directory, name)} cannot be looked at (${found})`);
    else gone.push(name);
  });
  const concernsItself = heard.has(itself);
  if ((gone.length > 0 || concernsItself) && !(await isStillThere(directory, context))) return;
  if (concernsItself) doubt(directory, context);
  // Its attributes changed: of others the directory above hears as well.
  if (concernsItself && directory.parent === null) report(directory, null, "changed", context);
  if (gone.length > 0 && (await context.mayHaveMoved(directory))) {
    // Away for a moment, it seems to have lost what it has.
    for (const name of gone) context.hear(directory, name, heard.get(name) ?? "renamed");
  } else {
    // What changed and went is heard of once more.
    for (const name of gone) if (heard.get(name) !== "changed") await settleGone(directory, name, context);
  }
  for (const name of directories) await adoptChild(directory, name, heard.get(name) ?? "renamed", context);
}

/**
 * The directory is where it was. Perhaps its file system was unmounted, which ends the watch for good, and mounted again
 * between two looks: then it is to be watched and read anew, with all below it.
 */
function doubt(directory: WatchedDirectory, context: SettleContext): void {
  const { parent, name } = directory;
  if (parent === null || !context.mayBeDead(directory)) return;
  if (parent.parent === null && context.hasHeardOfItself(parent)) context.doubtRoot();
  else if (!context.mayBeDead(parent)) context.hear(parent, name, "doubtful");
}

async function settleFile(directory: WatchedDirectory, name: EntryName, context: SettleContext): Promise<void> {
  const known = directory.children.get(name);
  if (known !== undefined) {
    directory.children.delete(name);
    await disown(known, context.ledger);
    report(directory, name, "deleted", context);
  }
  if (context.filter.passesFile(joinByteString(directory.relative, name))) report(directory, name, "changed", context);
}

async function settleDirectory(
  directory: WatchedDirectory,
  name: EntryName,
  hearsay: Hearsay,
  { context, directories }: { context: SettleContext; directories: EntryName[] },
): Promise<void> {
  if (!context.filter.passesDirectory(joinByteString(directory.relative, name))) return;
  const known = directory.children.get(name);
  if (known !== undefined && (hearsay === "changed" || (hearsay === "renamed" && (await isTheSame(known)))))
    report(directory, name, "changed", context);
  else directories.push(name);
}

async function settleGone(directory: WatchedDirectory, name: EntryName, context: SettleContext): Promise<void> {
  const known = directory.children.get(name);
  const relative = joinByteString(directory.relative, name);
  context.unwatched.unreadable.delete(pathOf(directory, name));
  const wasUntracked = directory.untracked?.delete(name) ?? false;
  if (known !== undefined) {
    directory.children.delete(name);
    await disown(known, context.ledger);
  } else if (wasUntracked) {
    // It was a directory, which counted.
  } else if (!context.filter.passesFile(relative) || !context.filter.passesDirectory(relative)) {
    // Nobody knows what it was: it must not count in either case.
    return;
  }
  report(directory, name, "deleted", context);
}

async function adoptChild(
  directory: WatchedDirectory,
  name: EntryName,
  hearsay: Hearsay,
  context: SettleContext,
): Promise<void> {
  const known = directory.children.get(name);
  const credit = known === undefined ? 0 : [...eachDirectory(known)].length;
  if (known !== undefined) outdate(known);
  const wasUnreadable = context.unwatched.unreadable.delete(pathOf(directory, name));
  const child = await adopt(childOf(directory, name), { credit, unwatched: context.unwatched, context });
  if (child === null) directory.children.delete(name);
  else directory.children.set(name, child);
  const wasUntracked = directory.untracked?.delete(name) ?? false;
  if (wasUntracked) report(directory, name, "deleted", context);
  const { shortage, unreadable } = context.unwatched;
  if (child === null && shortage === null && !unreadable.has(pathOf(directory, name)))
    (directory.untracked ??= new Set()).add(name);
  if (known !== undefined) {
    const isTheSameOne = hearsay !== "exchanged" && child?.identity === known.identity;
    if (child !== null && isTheSameOne)
      handOver(known, child, (parent, lost) => report(parent, lost, "deleted", context));
    // With the new one watched first, the kernel's watch on a directory that was only moved is never given up.
    await disown(known, context.ledger);
    if (!isTheSameOne) {
      if (!(await context.mountsAreTheSame())) return;
      report(directory, name, "deleted", context);
    }
  }
  if (wasUnreadable && unreadable.has(pathOf(directory, name))) return;
  report(directory, name, "tree", context);
}

/** Whether the directory that is watched is the one at its path; if it is not, those above are asked. */
async function isStillThere(directory: WatchedDirectory, context: SettleContext): Promise<boolean> {
  const found = await identityAt(directory);
  if (found.kind === "identity" && found.value === directory.identity) return true;
  if (directory.parent === null) context.suspectRoot();
  else if (found.kind === "error" && !isGone(found.code))
    context.cannotTell(`${showPath(directory.path)} cannot be looked at (${found.code})`);
  else if (found.kind === "error" || (await context.mountsAreTheSame()))
    context.hear(directory.parent, directory.name, "exchanged");
  return false;
}

async function isTheSame(directory: WatchedDirectory): Promise<boolean> {
  const found = await identityAt(directory);
  return found.kind === "identity" && found.value === directory.identity;
}

async function lookAt(directory: WatchedDirectory, name: EntryName): Promise<string> {
  try {
    const status = await lstat(joinDiskPath(directory.path, name));
    return status.isDirectory() ? "directory" : "file";
  } catch (error) {
    const code = codeOf(error);
    return isGone(code) ? "gone" : code;
  }
}

function report(directory: WatchedDirectory, name: EntryName | null, kind: ChangeKind, context: SettleContext): void {
  const path = name === null ? directory.path : joinDiskPath(directory.path, name);
  if (typeof path === "string") context.report(path, kind);
  else context.cannotTell(`${showPath(path)} changed, and its name cannot be listed as it is no UTF-8`);
}

function pathOf(directory: WatchedDirectory, name: EntryName): string {
  return showPath(joinDiskPath(directory.path, name));
}
