import { statSync } from "node:fs";
import { posix } from "node:path";
import { byteStringOf } from "./byte-string.ts";
import { createTreeWatcher, type TreeWatcher, type TreeWatcherOptions } from "./tree-watcher.ts";
import type { WatchFilter } from "./watch-filter.ts";

/**
 * Watches what a source names: a directory with all below it, or one file. Of a file the directory around it is
 * watched, and nothing below that: a file that is saved by renaming is another one each time. What the path is counts
 * when the watcher is made; what is not there then is taken for a directory.
 */
export function createPathWatcher(options: TreeWatcherOptions): TreeWatcher {
  const { root, filter, onChanges } = options;
  if (!isFile(root)) return createTreeWatcher(options);
  return createTreeWatcher({
    ...options,
    root: posix.dirname(root),
    filter: onlyFile(posix.basename(root), filter),
    onChanges: (changes) => {
      const own = changes.filter(({ path }) => path === root);
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

/** A slash at the beginning of a pattern stands for the directory of the file. */
function onlyFile(name: string, filter: WatchFilter): WatchFilter {
  const bytes = byteStringOf(name);
  return { passesDirectory: () => false, passesFile: (path) => path === bytes && filter.passesFile(path) };
}
