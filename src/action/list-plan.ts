import { join } from "node:path";
import type { Job, SyncAction } from "../config/resolved.ts";
import type { PathChange } from "../model/changes.ts";
import { hasExtension } from "../rsync/extensions.ts";
import { createPathLooker } from "./path-looker.ts";
import type { LookAtPath } from "./path-looker.ts";
import { mayMeet, pathInTransfer, sourceRoot } from "./source-root.ts";
import { hasContent } from "./source-check.ts";
import type { SourceRoot } from "./source-root.ts";
import { walkTree } from "./walk-tree.ts";

/** What of one source has to be carried. Paths are relative to the root's base. */
export interface SourcePlan {
  readonly root: SourceRoot;
  /** Files, links and directories to copy, each by itself. */
  readonly entries: readonly string[];
  /** Paths that have to go from the destination, with all below them. */
  readonly deletions: readonly string[];
}

export interface ListPlan {
  readonly sources: readonly SourcePlan[];
  /** Why a list will not do; the deletions have to be carried all the same. */
  readonly fullBecause: string | undefined;
}

/** So many paths of one kind are looked at together. */
const together = 64;
const defaultTreeLimit = 20_000;

export interface PlanOptions {
  /** Why everything is copied anyhow: then only deletions are looked for. */
  readonly fullBecause: string | undefined;
  readonly oneFileSystem: boolean;
  /** Links are copied as what they lead to, which may be a whole tree. */
  readonly followsLinks: boolean;
  readonly signal: AbortSignal;
}

/** Sorts changed paths by source and looks what has become of each by now. */
export async function planList(
  job: Job,
  action: SyncAction,
  changes: readonly PathChange[],
  options: PlanOptions,
): Promise<ListPlan | { readonly outside: string }> {
  const roots = action.sources.map(sourceRoot);
  const homeless = changes.find(
    ({ path }) => roots.every((root) => pathInTransfer(root, path) === undefined) && !isOfAnother(job, action, path),
  );
  if (homeless !== undefined && isWatched(job, homeless.path)) return { outside: homeless.path };
  const reasons = options.fullBecause === undefined ? [] : [options.fullBecause];
  if (homeless !== undefined) reasons.push(`${JSON.stringify(homeless.path)} is in no source any more`);
  const sources: SourcePlan[] = [];
  for (const [index, root] of roots.entries()) {
    const plan = await planSource(root, { job, action, changes, options, reasons });
    const before = roots.slice(0, index).filter((other) => mayMeet(other, root));
    sources.push({ ...plan, entries: await withoutThoseOf(before, plan.entries) });
  }
  return { sources, fullBecause: reasons[0] };
}

/** A job may have several syncs, each with sources of its own, and csync2 may carry what none of them has. */
function isOfAnother(job: Job, action: SyncAction, path: string): boolean {
  const isIn = (source: string) => pathInTransfer(sourceRoot(source), path) !== undefined;
  return job.actions.some((other) => {
    if (other.kind === "sync") return other.id !== action.id && other.sources.some(isIn);
    // Without paths it takes what its own configuration names.
    return other.kind === "csync2" && (other.paths.length === 0 || other.paths.some(isIn));
  });
}

function isWatched(job: Job, path: string): boolean {
  return job.watch?.paths.some((watched) => pathInTransfer(sourceRoot(`${watched}/`), path) !== undefined) === true;
}

interface SourceContext {
  job: Job;
  action: SyncAction;
  changes: readonly PathChange[];
  options: PlanOptions;
  /** Filled with why a list will not do. */
  reasons: string[];
}

async function planSource(
  root: SourceRoot,
  { job, action, changes, options, reasons }: SourceContext,
): Promise<SourcePlan> {
  const { extensions } = action;
  const kinds = new Map<string, PathChange["kind"]>();
  const deleted = new Set<string>();
  for (const { path, kind } of changes) {
    const inTransfer = pathInTransfer(root, path);
    if (inTransfer === undefined) continue;
    kinds.set(inTransfer, kind);
    if (kind === "deleted") deleted.add(inTransfer);
  }
  const entries = new Set<string>();
  const deletions = new Set<string>();
  const limit = Math.max(job.watch?.fullSyncThreshold ?? defaultTreeLimit, kinds.size);
  const look = createPathLooker(root.base, { from: root.name, oneFileSystem: options.oneFileSystem });
  const deletes = job.watch?.deleteWatched === true;
  const addTree = async (path: string) => {
    const tree = await walkTree(root.base, path, { ...options, limit: limit - entries.size });
    if ("problem" in tree) {
      const why = { "too-large": "holds too much for a list", unreadable: "cannot be read completely" }[tree.problem];
      reasons.push(`${JSON.stringify(path)} ${why}`);
      return;
    }
    for (const entry of tree) {
      if (extensions.length === 0 || (!entry.isDirectory && hasExtension(entry.path, extensions)))
        entries.add(entry.path);
    }
  };
  for await (const { path, kind, found } of lookAtAll(kinds, look, options.signal)) {
    if (reasons.length > 0 && !deleted.has(path)) continue;
    if (path === "" || (path === root.name && found.kind === "directory" && kind !== "changed")) {
      reasons.push(`the source ${JSON.stringify(root.source)} itself has changed`);
      continue;
    }
    switch (found.kind) {
      case "elsewhere":
        break;
      case "gone":
        if (kind === "deleted" && deletes) deletions.add(path);
        break;
      case "replaced":
        // What was below it goes when it takes the place of the directory.
        if (kind === "deleted" && deletes) deletions.add(found.by);
        if (hasExtension(found.by, extensions)) entries.add(found.by);
        break;
      case "directory":
        if (kind !== "changed") {
          // It was seen to come where another was, whose content is still at the destination. Were it empty, it could
          // as well be a mount point whose disk is away, and only a complete sync deletes in there.
          const isReplacement = kind === "tree" && deletes && deleted.has(path);
          if (isReplacement && (await holdsSomething(join(root.base, path)))) deletions.add(path);
          if (reasons.length === 0) await addTree(path);
        } else if (extensions.length === 0) entries.add(path);
        break;
      case "file":
      case "symlink":
      case "unknown":
        if (found.kind === "symlink" && options.followsLinks) {
          reasons.push(`links such as ${JSON.stringify(path)} are followed`);
        }
        // A directory of that name may still be in its way at the destination.
        if (kind === "deleted" && deletes && found.kind !== "unknown") deletions.add(path);
        if (hasExtension(path, extensions)) entries.add(path);
        break;
    }
  }
  return { root, entries: [...entries], deletions: withoutCovered(deletions) };
}

async function* lookAtAll(kinds: ReadonlyMap<string, PathChange["kind"]>, look: LookAtPath, signal: AbortSignal) {
  const all = [...kinds];
  for (let start = 0; start < all.length && !signal.aborted; start += together) {
    const part = all.slice(start, start + together);
    const found = await Promise.all(part.map(([path]) => look(path)));
    for (const [index, [path, kind]] of part.entries())
      yield { path, kind, found: found[index] ?? { kind: "unknown" as const } };
  }
}

/** Of several sources that have the same path rsync takes the first one's. */
async function withoutThoseOf(before: readonly SourceRoot[], entries: readonly string[]): Promise<readonly string[]> {
  if (before.length === 0) return entries;
  const looks = before.map(({ base, name }) => {
    const look = createPathLooker(base, { from: name, oneFileSystem: false });
    const isIn = (path: string) => name === "" || path === name || path.startsWith(`${name}/`);
    return async (path: string) => isIn(path) && !["gone", "unknown"].includes((await look(path)).kind);
  });
  const own: string[] = [];
  for (const entry of entries) {
    const found = await Promise.all(looks.map((has) => has(entry)));
    if (!found.includes(true)) own.push(entry);
  }
  return own;
}

/** false also where it cannot be read. */
function holdsSomething(directory: string): Promise<boolean> {
  return hasContent(directory).catch(() => false);
}

/** What lies below another path of the set goes with it. */
function withoutCovered(paths: ReadonlySet<string>): string[] {
  return [...paths].filter((path) => {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      if (paths.has(path.slice(0, slash))) return false;
    }
    return true;
  });
}
