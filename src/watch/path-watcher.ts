import { statSync } from "node:fs";
import { posix } from "node:path";
import { byteStringOf, type ByteString } from "./byte-string.ts";
import type { TreeWatcher, TreeWatcherOptions } from "./tree-watcher-contract.ts";
import { createTreeWatcher } from "./tree-watcher.ts";
import type { WatchFilter } from "./watch-filter.ts";

/**
 * Watches what a source names: a directory with all below it, or one file. Of a file the directory around it is
 * watched, and nothing else in it: a file that is saved by renaming is another one each time. What the path is counts
 * when the watcher is made; what is not there then is taken for a directory.
 */
export function createPathWatcher(options: TreeWatcherOptions): TreeWatcher {
  const { root, filter, onChanges } = options;
  if (!isFile(root)) return createTreeWatcher(options);
  return createTreeWatcher({
    ...options,
    root: posix.dirname(root),
    filter: only(byteStringOf(posix.basename(root)), filter),
    onChanges: (changes) => {
      // Of the directory around it its own attributes are told.
      const own = changes.filter(({ path }) => liesAt(root, path));
      if (own.length > 0) onChanges(own);
    },
  });
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch {
    // The watcher itself finds out what is wrong there, and says so.
    return false;
  }
}

/** A directory may take the file's place. A slash at the beginning of a pattern stands for the directory around it. */
function only(name: ByteString, filter: WatchFilter): WatchFilter {
  return {
    passesDirectory: (path) => liesAt(name, path) && filter.passesDirectory(path),
    passesFile: (path) => liesAt(name, path) && filter.passesFile(path),
  };
}

function liesAt(top: string, path: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}
