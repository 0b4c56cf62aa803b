import { existsSync, lstatSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { Job, SyncAction, Target } from "../config/resolved.ts";
import type { TrackedPath } from "../changes/staged-file.ts";
import { namesContents } from "../rsync/list-source.ts";

/** Where the files of a sync are on this host: in the sources, or for a pull at the destination. */
export interface TrackedPlaces {
  /** The file that rsync calls `path`. */
  fileOf(path: string): string;
  /** The files of an absolute path that lies in a source; several sources may hold it. */
  pathsOf(file: string): TrackedPath[];
  /** What rsync is to be given to list the files that the sync covers, by the names it has for them. */
  readonly listed: readonly string[];
  /** The one file of a pull that gives it a name of its own; there is nothing to list then. */
  readonly only: TrackedPath | undefined;
  /** Whether the sync copies files of that name at all. */
  covers(path: string): boolean;
}

/** One source: what its names in the transfer begin with, and the directory that they are relative to. */
interface Root {
  readonly base: string;
  /** undefined: every name. */
  readonly first: string | undefined;
}

export function trackedPlaces(job: Job, action: SyncAction, target: Target): TrackedPlaces {
  const dest = target.dest ?? action.dest;
  const pulls = target.endpoint !== undefined && job.direction === "pull";
  const names = rsyncOptionNames(action.opts);
  const roots = action.sources.map((source) => rootOf(source, names));
  const local = pulls ? roots.map(({ first }) => pulledRoot(dest, first)) : roots;
  const listed = pulls ? pulledSources(local) : action.sources;
  const matches = (path: string) =>
    local.filter(({ first }) => first === undefined || path === first || path.startsWith(`${first}/`));
  const [{ first: name = "" } = {}] = local;
  const only = pulls && isSingleFile(dest, local) ? { path: name, file: resolve(dest) } : undefined;
  return {
    fileOf: (path) => {
      if (only !== undefined) return only.file;
      const candidates = (matches(path).length > 0 ? matches(path) : local).map(({ base }) => join(base, path));
      // Of several sources rsync takes the first that has the file.
      return candidates.find((file) => existsSync(file)) ?? candidates[0] ?? resolve(path);
    },
    pathsOf: (file) =>
      local.flatMap(({ base, first }) => {
        const path =
          base === "/" ? file.slice(1) : file.startsWith(`${base}/`) ? file.slice(base.length + 1) : undefined;
        const belongs = path !== undefined && (first === undefined || path === first || path.startsWith(`${first}/`));
        return belongs ? [{ path, file }] : [];
      }),
    listed: listed.filter((path) => existsSync(path)),
    only,
    covers: (path) => action.extensions.length === 0 || action.extensions.some((ending) => path.endsWith(ending)),
  };
}

function rootOf(source: string, names: ReadonlySet<string>): Root {
  if (names.has("files-from")) return { base: resolve(source), first: undefined };
  if (names.has("relative") || names.has("R")) {
    const [before, after] = source.includes("/./") ? source.split("/./", 2) : ["/", resolve(source).slice(1)];
    return { base: resolve(before || "/"), first: (after ?? "").replace(/\/+$/, "") || undefined };
  }
  if (namesContents(source)) return { base: resolve(source), first: undefined };
  return { base: dirname(resolve(source)), first: basename(source) };
}

function pulledRoot(dest: string, first: string | undefined): Root {
  return { base: resolve(dest), first };
}

function pulledSources(roots: readonly Root[]): string[] {
  return roots.map(({ base, first }) => (first === undefined ? `${base}/` : join(base, first)));
}

/** One file, pulled to a name of its own. */
function isSingleFile(dest: string, roots: readonly Root[]): boolean {
  if (roots.length !== 1 || dest.endsWith("/")) return false;
  const found = lstatSync(dest, { throwIfNoEntry: false });
  return found?.isFile() === true;
}
