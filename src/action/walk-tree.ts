import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";

export interface TreeEntry {
  /** Relative to the base. */
  readonly path: string;
  readonly isDirectory: boolean;
}

/** Why a tree has no list: it is too large for one, or a part of it cannot be read. */
export type TreeProblem = { readonly problem: "too-large" | "unreadable" };

/**
 * A directory below `base` and everything in it, links not followed. What vanishes meanwhile is left out. `limit`
 * bounds the memory: that many entries are returned at most.
 */
export async function walkTree(
  base: string,
  top: string,
  { limit, oneFileSystem, signal }: { limit: number; oneFileSystem: boolean; signal: AbortSignal },
): Promise<readonly TreeEntry[] | TreeProblem> {
  const found: TreeEntry[] = [{ path: top, isDirectory: true }];
  let device: number | undefined;
  for (let next = 0; next < found.length && !signal.aborted; next += 1) {
    const entry = found[next];
    if (entry?.isDirectory !== true) continue;
    try {
      if (oneFileSystem) {
        const { dev } = await lstat(join(base, entry.path));
        device ??= dev;
        if (dev !== device) continue;
      }
      for await (const child of await opendir(join(base, entry.path))) {
        if (found.length >= limit) return { problem: "too-large" };
        found.push({ path: `${entry.path}/${child.name}`, isDirectory: child.isDirectory() });
      }
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== "ENOENT" && code !== "ENOTDIR") return { problem: "unreadable" };
    }
  }
  return found;
}
