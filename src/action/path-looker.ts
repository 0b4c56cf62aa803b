import { lstat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { systemErrorCode } from "../base/errors.ts";

/** What is at a path below a source right now. */
export type PathLook =
  | { readonly kind: "directory" | "file" | "symlink" }
  | { readonly kind: "gone" }
  /** A directory on the way to it has given way to something else, which is there. */
  | { readonly kind: "replaced"; readonly by: string }
  /** On another file system, which the sync does not cross into (`-x`). */
  | { readonly kind: "elsewhere" }
  /** It could not be looked at: rsync has to say why. */
  | { readonly kind: "unknown" };

export type LookAtPath = (path: string) => Promise<PathLook>;

/**
 * Looks at paths that are relative to `base`, without following links on the way, each directory once. `from` is
 * the part of a path that is taken for granted: the source itself.
 */
export function createPathLooker(base: string, options: { from: string; oneFileSystem: boolean }): LookAtPath {
  const { from, oneFileSystem } = options;
  const seen = new Map<string, Promise<Stats | "gone" | "unknown">>();
  const at = (path: string) => (base.endsWith("/") ? `${base}${path}` : `${base}/${path}`);
  const stat = async (path: string) => {
    try {
      return await lstat(at(path));
    } catch (error) {
      const code = systemErrorCode(error);
      return code === "ENOENT" || code === "ENOTDIR" ? "gone" : "unknown";
    }
  };
  const statDirectory = (path: string) => {
    const known = seen.get(path) ?? stat(path);
    seen.set(path, known);
    return known;
  };
  return async (path) => {
    const top = oneFileSystem ? await statDirectory(from) : undefined;
    const dev = typeof top === "object" ? top.dev : undefined;
    for (let slash = path.indexOf("/", from.length + 1); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const above = path.slice(0, slash);
      const found = await statDirectory(above);
      if (found === "gone" || found === "unknown") return { kind: found };
      if (!found.isDirectory()) return { kind: "replaced", by: above };
      if (dev !== undefined && found.dev !== dev) return { kind: "elsewhere" };
    }
    const found = await stat(path);
    if (found === "gone" || found === "unknown") return { kind: found };
    return { kind: found.isDirectory() ? "directory" : found.isSymbolicLink() ? "symlink" : "file" };
  };
}
