import { type BigIntStats, type FSWatcher, watch } from "node:fs";
import type { ByteString } from "./byte-string.ts";
import { type DiskPath, type EntryName, joinByteString, joinDiskPath, readEntryName } from "./disk-path.ts";
import type { InotifyLedger } from "./inotify-ledger.ts";

/** A directory and the watch on it. Its path never changes: one that is moved becomes another one. */
export interface WatchedDirectory {
  readonly name: EntryName;
  readonly parent: WatchedDirectory | null;
  readonly path: DiskPath;
  /** Relative to the root, which is "". */
  readonly relative: ByteString;
  readonly children: Map<EntryName, WatchedDirectory>;
  identity: string;
  handle: FSWatcher | null;
  /**
   * Whether what is known of it is of the directory that is watched, so that a rename can be told from it. `unsettled`:
   * events from before it was watched may be on their way. `outdated`: it is being read once more.
   */
  trust: "unsettled" | "settled" | "outdated";
  closed: boolean;
  /** The one that took the place of this, being the same directory read once more: what was heard is of it. */
  successor: WatchedDirectory | null;
  /**
   * Names under which a copy may have a directory that is not among the children: it went while it was being
   * read. If another directory comes there, the content of the first one has yet to be deleted.
   */
  untracked: Set<EntryName> | null;
}

/** `renamed`: an entry came, went, or another one took its place. */
export type EntryEvent = "changed" | "renamed";

/** What events about a watched directory itself bear as their name. */
export const itself: EntryName = ".";

/** Hears of an entry, or of the directory as `itself`. */
export type EntryListener = (directory: WatchedDirectory, name: EntryName, event: EntryEvent) => void;

export function rootDirectory(path: string): WatchedDirectory {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return { name, parent: null, path, relative: "", ...unwatched() };
}

export function childOf(parent: WatchedDirectory, name: EntryName): WatchedDirectory {
  const relative = joinByteString(parent.relative, name);
  return { name, parent, path: joinDiskPath(parent.path, name), relative, ...unwatched() };
}

function unwatched(): Omit<WatchedDirectory, "name" | "parent" | "path" | "relative"> {
  return {
    children: new Map(),
    identity: "",
    handle: null,
    trust: "unsettled",
    closed: false,
    successor: null,
    untracked: null,
  };
}

/**
 * Throws the system error of a directory that cannot be watched. A link is followed: look at what is there afterwards.
 * libuv gives the last part of the watched path as the name of what happens to the directory itself, which could be the
 * name of an entry as well: "." cannot.
 */
export function openWatch(directory: WatchedDirectory, ledger: InotifyLedger, listen: EntryListener): void {
  const handle = watch(joinDiskPath(directory.path, itself), { encoding: "buffer" }, (event, bytes) => {
    ledger.delivered();
    if (directory.closed) return;
    const name = bytes === null ? itself : readEntryName(bytes);
    listen(directory, name, event === "rename" ? "renamed" : "changed");
  });
  handle.on("error", () => directory.closed || listen(directory, itself, "renamed"));
  directory.handle = handle;
  ledger.opened();
}

export function closeWatch(directory: WatchedDirectory, ledger: InotifyLedger): void {
  directory.closed = true;
  if (directory.handle === null) return;
  directory.handle.close();
  directory.handle = null;
  ledger.closed();
}

/** Whether the kernel gives a watch on this by now. */
export function canBeWatched(path: DiskPath): boolean {
  try {
    watch(path).close();
    return true;
  } catch {
    return false;
  }
}

/** A directory and all below it are about to be read once more. */
export function outdate(top: WatchedDirectory): void {
  for (const directory of eachDirectory(top)) directory.trust = "outdated";
}

/**
 * Hands over from what was known of a directory to what is known since it was read once more. `onGone` is called with
 * each directory below that went or was exchanged meanwhile.
 */
export function handOver(
  old: WatchedDirectory,
  next: WatchedDirectory,
  onGone: (parent: WatchedDirectory, name: EntryName) => void,
): void {
  old.successor = next;
  next.untracked ??= old.untracked;
  for (const [name, child] of old.children) {
    const nextChild = next.children.get(name);
    if (nextChild?.identity === child.identity) handOver(child, nextChild, onGone);
    else onGone(next, name);
  }
}

/** The one that stands for a directory by now; null: it is not watched any more. */
export function currentOf(directory: WatchedDirectory): WatchedDirectory | null {
  let current: WatchedDirectory | null = directory;
  while (current !== null && current.closed) current = current.successor;
  return current;
}

/** A directory with all watched ones below it. */
export function* eachDirectory(top: WatchedDirectory): Generator<WatchedDirectory> {
  yield top;
  for (const child of top.children.values()) yield* eachDirectory(child);
}

/**
 * Says whether two looks saw the same directory. A number is soon given to another one, so that the time of birth
 * belongs to it; it is 0 on file systems that do not know it.
 */
export function identityOf({ dev, ino, birthtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}
