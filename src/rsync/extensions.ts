import { escapePattern } from "./filter-patterns.ts";

/**
 * The filter rules for "only files with these endings", to stand behind the user's own: what those exclude stays
 * excluded. Directories are looked into, and made only where something is in them. What does not match is
 * excluded, which also protects it from `--delete` at the destination.
 */
export function extensionWords(extensions: readonly string[]): string[] {
  if (extensions.length === 0) return [];
  return [
    "--prune-empty-dirs",
    "--include=*/",
    ...extensions.map((ending) => `--include=*${escapePattern(ending)}`),
    "--exclude=*",
  ];
}

/** Whether a file of that name is among them; without endings every file is. */
export function hasExtension(path: string, extensions: readonly string[]): boolean {
  if (extensions.length === 0) return true;
  const name = path.slice(path.lastIndexOf("/") + 1);
  return extensions.some((ending) => name.endsWith(ending));
}
