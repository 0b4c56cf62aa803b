import { posix } from "node:path";
import { meansContents } from "./paths.ts";
import type { OptsReport } from "./rsync-opts.ts";

interface Overlap {
  report: Pick<OptsReport, "deletes" | "directories" | "filters">;
  error: (message: string) => void;
  warning: (message: string) => void;
}

/** Below it relative paths are compared with each other: where the program is started is not known. */
const unknownStart = `/${"\u0000/".repeat(40)}`;

/**
 * A local sync into its own source nests one level deeper at each run, and one that deletes around its
 * source deletes the source. Paths are compared as they are written; links are not followed.
 */
export function checkOverlap(sources: readonly string[], dest: string, overlap: Overlap): void {
  const { report, error, warning } = overlap;
  const comparable = sources.filter((source) => source.startsWith("/") === dest.startsWith("/"));
  const origins = comparable.map(absolute);
  for (const source of comparable) {
    const from = absolute(source);
    const target = meansContents(source) ? absolute(dest) : posix.join(absolute(dest), posix.basename(from));
    const lost = origins.find((origin) => holds(target, origin) || absolute(dest) === origin);
    if (report.deletes && lost !== undefined) {
      return error("holds the source, and the sync deletes: the source itself would be deleted");
    }
    if (target === from || !holds(from, target)) continue;
    if (!report.deletes && report.directories !== "tree") continue;
    if (report.filters.unseen || excludes(report.filters.excludes, { source, from, target })) {
      warning("is inside the source: without its exclude each run would copy the copies of the last one");
    } else {
      return error("is inside the source: each run would copy the copies of the last one; exclude it by name");
    }
  }
}

/** A path without needless slashes and dots; see `unknownStart` for relative ones. */
export function absolute(path: string): string {
  return posix.resolve(unknownStart, path);
}

/** Whether a path is another one or lies below it; both absolute. */
export function holds(outer: string, inner: string): boolean {
  return outer === inner || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

/** Whether a pattern is the name of the target or of a directory between the source and it. */
export function excludes(
  patterns: readonly string[],
  { source, from, target }: { source: string; from: string; target: string },
): boolean {
  // Patterns that begin with a slash count from where the transfer begins.
  const root = meansContents(source) ? from : posix.dirname(from);
  const parts = posix.relative(root, target).split("/");
  const first = posix.relative(root, from) === "" ? 1 : 2;
  return patterns.some((pattern) => {
    const name = pattern.replace(/\/\*{0,3}$/, "");
    for (let length = first; length <= parts.length; length += 1) {
      const path = `/${parts.slice(0, length).join("/")}`;
      if (name.startsWith("/") ? path === name : name !== "" && path.endsWith(`/${name}`)) return true;
    }
    return false;
  });
}
