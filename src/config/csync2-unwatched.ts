import type { Csync2Group, Csync2Settings } from "./csync2-settings.ts";

type Pattern = Csync2Group["patterns"][number];

/**
 * What csync2 leaves out need not be watched: its excludes as patterns of rsync, where both mean the same.
 * `roots`: what is watched. Where there is doubt nothing is left out, for csync2 looks again.
 */
export function unwatched(
  { groups }: Csync2Settings,
  { own, roots }: { own: string; roots: readonly string[] },
): string[] {
  const [group, ...others] = groups.filter(({ hosts }) => hosts.some(({ host }) => host === own.toLowerCase()));
  // What one group excludes another may include.
  if (group === undefined || others.length > 0) return [];
  return [...excludedNames(group.patterns), ...excludedDirectories(group.patterns, roots)];
}

/** `*~`: csync2 does not look into directories of such a name either. */
function excludedNames(patterns: readonly Pattern[]): string[] {
  const names = patterns.filter(({ pattern }) => !/^[/%]/.test(pattern));
  if (names.some(({ kind }) => kind === "include")) return [];
  return names.map(({ pattern }) => pattern).filter((pattern) => !/[/\\]|\*\*/.test(pattern));
}

/** Excluded directories of the only watched one, unless something in them is included. */
function excludedDirectories(patterns: readonly Pattern[], [root, ...others]: readonly string[]): string[] {
  // A leading slash would stand for each of several.
  if (root === undefined || others.length > 0) return [];
  const below = root === "/" ? "/" : `${root}/`;
  const isIncluded = (excluded: string, at: number) =>
    patterns.some(
      ({ kind, pattern }, index) =>
        kind === "include" && (mayLieIn(pattern, excluded) || (index > at && mayLieIn(excluded, pattern))),
    );
  return patterns.flatMap(({ kind, pattern }, index) => {
    const inside = kind === "exclude" && pattern.startsWith(below) && !/[*?[\\]/.test(pattern);
    return inside && !isIncluded(pattern, index) ? [`/${pattern.slice(below.length)}`] : [];
  });
}

/** Whether what a pattern matches may lie in a directory or be it. */
function mayLieIn(pattern: string, directory: string): boolean {
  const fixed = /^[^*?[\\]*/.exec(pattern)?.[0] ?? "";
  if (!pattern.startsWith("/")) return pattern.startsWith("%");
  return fixed === pattern
    ? pattern === directory || pattern.startsWith(`${directory}/`)
    : fixed.startsWith(`${directory}/`) || directory.startsWith(fixed);
}
