import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";

/** Whether a path is a pattern rather than a name. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * The existing paths that match an absolute pattern, sorted by name. `*`, `?` and `[…]` match within one
 * part of the path, and no leading dot. (Node 20 has no glob of its own that is free of warnings.)
 * Throws the system error of a directory that cannot be read.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
  let found = ["/"];
  for (const part of pattern.split("/").filter((name) => name !== "" && name !== ".")) {
    const next = await Promise.all(found.map((directory) => matchesIn(directory, part)));
    found = next.flat();
  }
  return found;
}

async function matchesIn(directory: string, part: string): Promise<string[]> {
  if (!isPattern(part)) return (await exists(join(directory, part))) ? [join(directory, part)] : [];
  const matcher = patternOf(part);
  const names = await readdir(directory).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return [];
    throw error;
  });
  return names
    .filter((name) => matcher.test(name) && (part.startsWith(".") || !name.startsWith(".")))
    .toSorted()
    .map((name) => join(directory, name));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function patternOf(part: string): RegExp {
  const source = part.replace(
    /\[(!?)([^\]]+)\]|[\s\S]/g,
    (token, negated: string | undefined, characters: string | undefined) => {
      if (characters !== undefined) return `[${negated === "!" ? "^" : ""}${characters.replace(/[\\^[\]]/g, "\\$&")}]`;
      if (token === "*") return ".*";
      if (token === "?") return ".";
      return token.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    },
  );
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    // A range such as [z-a] matches nothing.
    return /^(?!)/;
  }
}
