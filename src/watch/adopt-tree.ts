import { lstat, readdir, stat } from "node:fs/promises";
import { systemErrorCode } from "../base/errors.ts";
import { nextTurn } from "../base/next-turn.ts";
import { type DiskPath, readEntryName, showPath } from "./disk-path.ts";
import type { InotifyLedger } from "./inotify-ledger.ts";
import { runLimited } from "./run-limited.ts";
import {
  childOf,
  closeWatch,
  eachDirectory,
  type EntryListener,
  identityOf,
  openWatch,
  type WatchedDirectory,
} from "./watched-directory.ts";
import type { WatchFilter } from "./watch-filter.ts";

export interface AdoptContext {
  readonly filter: WatchFilter;
  readonly ledger: InotifyLedger;
  readonly listen: EntryListener;
  /** The watcher is being closed: nothing new is begun. */
  readonly isClosing: () => boolean;
}

/** Directories that cannot be watched, by their path. */
export interface Unwatched {
  /** No watches left: the code of the refusal, and how many directories it concerns. `sample` is one of them. */
  shortage: { readonly code: string; count: number; readonly sample: DiskPath } | null;
  /** Those that cannot be read, with the error's code. */
  readonly unreadable: Map<string, { readonly directory: WatchedDirectory; readonly code: string }>;
}

export function nothingUnwatched(): Unwatched {
  return { shortage: null, unreadable: new Map() };
}

/**
 * Watches a directory and everything below it: each is watched first and read then, so that whatever is made in
 * between is found by one or the other. `credit`: so many of the directories are watched already, as they have only
 * been moved; the kernel asks for no second watch. When there are no watches left the rest is counted.
 */
export async function adopt(
  top: WatchedDirectory,
  { credit, unwatched, context }: { credit: number; unwatched: Unwatched; context: AdoptContext },
): Promise<WatchedDirectory | null> {
  const { filter, ledger } = context;
  const queue: WatchedDirectory[] = [top];
  const adopted: WatchedDirectory[] = [];
  let room = ledger.room() + credit;

  const visit = async (directory: WatchedDirectory): Promise<void> => {
    if (context.isClosing()) return;
    const refusal = unwatched.shortage !== null || room <= 0 ? "ENOSPC" : tryWatch(directory, context);
    if (refusal === null) room -= 1;
    const found = refusal === null || isShortage(refusal) ? await look(directory) : refusal;
    if (typeof found === "string") {
      if (directory.handle !== null) room += 1;
      closeWatch(directory, ledger);
      if (!isGone(found)) unwatched.unreadable.set(showPath(directory.path), { directory, code: found });
      return;
    }
    if (refusal === null) {
      directory.identity = found.identity;
      adopted.push(directory);
      if (directory !== top) directory.parent?.children.set(directory.name, directory);
    } else {
      unwatched.shortage ??= { code: refusal, count: 0, sample: directory.path };
      unwatched.shortage.count += 1;
    }
    for (const name of found.directories) {
      const child = childOf(directory, name);
      if (filter.passesDirectory(child.relative)) queue.push(child);
    }
  };

  await runLimited(queue, visit);
  void settle(adopted);
  return top.handle === null ? null : top;
}

/** Closes the watches of a directory and of all below it, a part of them per turn: the kernel answers each with an event. */
export async function disown(top: WatchedDirectory, ledger: InotifyLedger): Promise<void> {
  const all = [...eachDirectory(top)];
  for (const directory of all) directory.closed = true;
  for (const [index, directory] of all.entries()) {
    closeWatch(directory, ledger);
    if (index % ledger.closesPerTurn === ledger.closesPerTurn - 1) await nextTurn();
  }
}

/** The code of the refusal; null: it is watched. */
function tryWatch(directory: WatchedDirectory, { ledger, listen }: AdoptContext): string | null {
  try {
    openWatch(directory, ledger, listen);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

interface Found {
  readonly identity: string;
  readonly directories: readonly string[];
}

async function look(directory: WatchedDirectory): Promise<Found | string> {
  const identity = await identityAt(directory);
  if (identity.kind === "error") return identity.code;
  try {
    const entries = await readdir(directory.path, { encoding: "buffer", withFileTypes: true });
    const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => readEntryName(name));
    return { identity: identity.value, directories };
  } catch (error) {
    return codeOf(error);
  }
}

/** Which directory is at the path of this one by now; ENOTDIR: something else is. */
export async function identityAt({
  path,
  parent,
}: Pick<WatchedDirectory, "path" | "parent">): Promise<
  { readonly kind: "identity"; readonly value: string } | { readonly kind: "error"; readonly code: string }
> {
  try {
    // The root may be a link to a directory; below it links are what they are.
    const status = await (parent === null ? stat : lstat)(path, { bigint: true });
    if (!status.isDirectory()) return { kind: "error", code: "ENOTDIR" };
    return { kind: "identity", value: identityOf(status) };
  } catch (error) {
    return { kind: "error", code: codeOf(error) };
  }
}

/** The code of a system error; anything else is a bug. */
export function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code;
}

function isShortage(code: string): boolean {
  return code === "ENOSPC" || code === "EMFILE" || code === "ENFILE" || code === "ENOMEM";
}

export function isGone(code: string): boolean {
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}

/** Node hands on what has come before the second next turn at the latest. */
async function settle(adopted: readonly WatchedDirectory[]): Promise<void> {
  await nextTurn();
  await nextTurn();
  for (const directory of adopted) if (directory.trust === "unsettled") directory.trust = "settled";
}
