import { readBracketClass } from "./bracket-class.ts";
import { byteStringOf, type ByteString } from "./byte-string.ts";

/** Whether a pattern matches a path, given relative to the root and without slashes at its ends. */
export type PathMatcher = (path: ByteString, isDirectory: boolean) => boolean;

/**
 * A pattern of rsync's --include and --exclude. Outside rule: "PATTERN MATCHING RULES" in rsync(1), and
 * `rule_matches` in its exclude.c where the manual leaves something open.
 */
export function compilePattern(text: string): PathMatcher {
  const whole = byteStringOf(text);
  const directoriesOnly = whole.length > 1 && whole.endsWith("/");
  const pattern = directoriesOnly ? whole.slice(0, -1) : whole;
  const matches = /[*?[]/.test(pattern) ? compileWild(pattern) : compileLiteral(pattern);
  return directoriesOnly ? (path, isDirectory) => isDirectory && matches(path, isDirectory) : matches;
}

/** Without a wildcard even a backslash stands for itself. */
function compileLiteral(pattern: ByteString): PathMatcher {
  if (pattern.startsWith("/")) return (path) => path === pattern.slice(1);
  return (path) => path === pattern || path.endsWith(`/${pattern}`);
}

function compileWild(pattern: ByteString): PathMatcher {
  const anchored = pattern.startsWith("/");
  const source = wildcardSource(anchored ? pattern.slice(1) : pattern);
  if (source === null) return () => false;
  const slashes = pattern.split("/").length - 1;
  if (!pattern.includes("**")) {
    const expression = new RegExp(`^${source}$`, "s");
    if (anchored) return (path) => expression.test(path);
    // As many last parts of the path as the pattern has.
    return (path) => {
      const parts = path.split("/");
      return parts.length > slashes && expression.test(parts.slice(-1 - slashes).join("/"));
    };
  }
  // `dir/***` matches the directory too, which is then looked at with a slash behind it.
  const suffix = pattern.endsWith("***") ? "/" : "";
  const withSuffix = (path: ByteString, isDirectory: boolean) => (isDirectory ? path + suffix : path);
  if (pattern.startsWith("**")) {
    // `**/name` matches at the top as well.
    const expression = new RegExp(`^${source}$`, "s");
    const prefix = "/";
    return (path, isDirectory) => expression.test(prefix + withSuffix(path, isDirectory));
  }
  const expression = new RegExp(`${anchored ? "^" : "(?:^|/)"}${source}$`, "s");
  return (path, isDirectory) => expression.test(withSuffix(path, isDirectory));
}

/** The pattern as the source of a regular expression; null where it can match nothing. */
function wildcardSource(pattern: ByteString): string | null {
  let source = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character === "*") {
      const stars = /^\*+/.exec(pattern.slice(at))?.[0].length ?? 1;
      source += stars > 1 ? ".*" : "[^/]*";
      at += stars - 1;
    } else if (character === "?") {
      source += "[^/]";
    } else if (character === "[") {
      const bracket = readBracketClass(pattern, at);
      if (bracket === null) return null;
      source += bracket.source;
      at = bracket.end;
    } else if (character === "\\") {
      at += 1;
      if (at >= pattern.length) return null;
      source += literalSource(pattern.charAt(at));
    } else {
      source += literalSource(character);
    }
  }
  return source;
}

function literalSource(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
