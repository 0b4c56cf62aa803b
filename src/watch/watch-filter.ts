import { byteStringOf, type ByteString } from "./byte-string.ts";
import { compilePattern } from "./rsync-pattern.ts";

export interface WatchFilterOptions {
  /** Endings of the files that count; none: all of them. */
  readonly extensions: readonly string[];
  /** Patterns in rsync's form; a leading slash stands for the watched root. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * What of a tree is watched. Paths are relative to the root, and every directory above them has passed: like
 * rsync, nobody looks into a directory that is left out.
 */
export interface WatchFilter {
  /** A directory that does not pass is not watched, and nothing below it counts. */
  passesDirectory(path: ByteString): boolean;
  /** Anything but a directory: files, links, sockets. */
  passesFile(path: ByteString): boolean;
}

/** The first pattern that matches decides, those to include come first; what no pattern matches passes. */
export function createWatchFilter({ extensions, include, exclude }: WatchFilterOptions): WatchFilter {
  const endings = extensions.map(byteStringOf);
  const rules = [
    ...include.map((pattern) => ({ matches: compilePattern(pattern), passes: true })),
    ...exclude.map((pattern) => ({ matches: compilePattern(pattern), passes: false })),
  ];
  const passes = (path: ByteString, isDirectory: boolean) =>
    rules.find(({ matches }) => matches(path, isDirectory))?.passes ?? true;
  return {
    passesDirectory: (path) => passes(path, true),
    passesFile: (path) =>
      (endings.length === 0 || endings.some((ending) => path.endsWith(ending))) && passes(path, false),
  };
}
