import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { rmdirSync, rmSync, symlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { PathChange } from "../../src/model/changes.ts";

/** Everything in a tree: kind, permissions and content by path; what vanishes while it is read is left out. */
export function describeTree(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (relative: string): void => {
    const path = `${root}/${relative}`;
    const status = statusOf(path);
    if (status === undefined) return;
    const mode = (status.mode & 0o7777).toString(8);
    if (status.isSymbolicLink()) found[relative] = `link to ${readlinkSync(path)}`;
    else if (!status.isDirectory()) found[relative] = `file ${mode} ${readFileSync(path, "latin1")}`;
    else {
      found[relative] = `directory ${mode}`;
      for (const name of readdirSync(path)) visit(join(relative, name));
    }
  };
  visit(".");
  return found;
}

/** A copy of a tree that is changed in no other way than a sync would: by what was reported, and by complete syncs. */
export function createMirror(source: string, target: string) {
  const copy = (relative: string, isDeep: boolean): void => {
    const from = join(source, relative);
    const to = join(target, relative);
    // The root may be a link to a directory.
    const status = statusOf(relative === "" ? `${from}/.` : from);
    if (status === undefined) return;
    if (!status.isDirectory()) {
      remove(to);
      tolerateVanished(() => {
        if (status.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
        else copyFileSync(from, to);
        if (!status.isSymbolicLink()) chmodSync(to, status.mode & 0o7777);
      });
      return;
    }
    if (statusOf(to)?.isDirectory() === false) rmSync(to);
    mkdirSync(to, { recursive: true });
    chmodSync(to, status.mode & 0o7777);
    if (!isDeep) return;
    tolerateVanished(() => {
      for (const name of readdirSync(from)) copy(join(relative, name), true);
    });
  };
  const inSource = (path: string): string => {
    if (path !== source && !path.startsWith(`${source}/`)) throw new Error(`${path} is not in ${source}`);
    return path.slice(source.length + 1);
  };

  return {
    apply(changes: readonly PathChange[]): void {
      for (const { path, kind } of changes) {
        const relative = inSource(path);
        if (kind === "deleted") {
          tolerateVanished(() => remove(join(target, relative)));
          continue;
        }
        const parts = relative.split("/").slice(0, -1);
        // Below what is no directory any more nothing is left; behind a link it would be another place.
        const isLeft = parts.every((_, depth) => statusOf(join(source, ...parts.slice(0, depth + 1)))?.isDirectory());
        if (!isLeft) continue;
        // As rsync does with the directories on the way to a listed file.
        for (const depth of parts.keys()) copy(parts.slice(0, depth + 1).join("/"), false);
        copy(relative, kind === "tree");
      }
    },
    copyEverything(): void {
      remove(target);
      copy("", true);
    },
  };
}

/** Also what its owner may not read, for directories have the permissions of those they are copied from. */
function remove(path: string): void {
  if (statusOf(path)?.isDirectory() !== true) return rmSync(path, { force: true });
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) remove(join(path, name));
  rmdirSync(path);
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** What went meanwhile, or may not be read, is left out. */
function tolerateVanished(work: () => void): void {
  try {
    work();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "EACCES") throw error;
  }
}
