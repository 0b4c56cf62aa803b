import { posix } from "node:path";
import { namesContents } from "../rsync/list-source.ts";

/** How the paths below a source are named in a transfer, as rsync does it. */
export interface SourceRoot {
  /** As it is configured. */
  readonly source: string;
  /** Absolute, without a slash at its end: what a watcher sees. */
  readonly path: string;
  /** The directory that paths of the transfer, and of the destination, are relative to. */
  readonly base: string;
  /** The source itself, relative to the base; empty where only its contents are copied. */
  readonly name: string;
}

export function sourceRoot(source: string): SourceRoot {
  const path = posix.resolve(source);
  if (namesContents(source) || path === "/") return { source, path, base: path, name: "" };
  return { source, path, base: posix.dirname(path), name: posix.basename(path) };
}

/** An absolute path as the transfer names it; empty for contents' own directory, undefined outside of the source. */
export function pathInTransfer({ path: root, name }: SourceRoot, path: string): string | undefined {
  if (path === root) return name;
  const start = root === "/" ? "/" : `${root}/`;
  if (!path.startsWith(start)) return undefined;
  const below = path.slice(start.length);
  return name === "" ? below : `${name}/${below}`;
}

/** Whether what two sources of a sync have may come together at the destination. */
export function mayMeet(one: SourceRoot, other: SourceRoot): boolean {
  return one.name === other.name || one.name === "" || other.name === "";
}
