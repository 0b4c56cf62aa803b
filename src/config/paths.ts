import { posix } from "node:path";

const thisHost: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);

/** Whether a host is named by a word that everywhere means the host that reads it. */
export function isThisHost(host: string): boolean {
  return thisHost.has(host);
}

/** Whether a path is the root of a file system, however it is written. */
export function isRoot(path: string): boolean {
  return path.startsWith("/") && posix.normalize(path).replaceAll("/", "") === "";
}

/** Whether rsync copies what is in the directory rather than the directory itself. */
export function meansContents(source: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(source);
}

/** Whether a relative path names something below the directory (or home) it starts from. */
export function staysBelowStart(path: string): boolean {
  const below = posix.normalize(path.replace(/^~[^/]*\/*/, "") || ".");
  return !/^(?:\.\/?|\.\.(?:\/.*)?)$/.test(below) && !below.startsWith("/");
}

/** `~/x` with the home directory in place of `~`; a lock or key file is looked for by programs, not by a shell. */
export function expandHome(path: string, home: string): string {
  return path.startsWith("~/") ? posix.join(home, path.slice(2)) : path;
}

/**
 * The path of a lock in its one spelling. The schema refuses `.` and `..`: what is before `..` may be a link, so that
 * only the host of the file could say what it leads to.
 */
export function lockPath(path: string): string {
  return path.replaceAll(/\/+/g, "/");
}

/** ssh and ssh2 want an IPv6 address bare; rsync's operand gets its brackets where it is built. */
export function bareAddress(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** What a shell would have made of a path that is now taken literally; undefined if it is the same. */
export function shellLeftover(path: string): string | undefined {
  if (/[*?[]/.test(path)) return "file name patterns are not expanded: a file of exactly this name is meant";
  if (/["'\\]/.test(path)) return "quotes and backslashes are part of the name: no shell takes them away";
  if (/[$`]/.test(path)) return "variables are not expanded (only ${NAME} is)";
  if (/\s[/~]/.test(path)) return "this is one path with a space in it; several sources are written as a list";
  return undefined;
}

/** The path of a directory as other programs report it: without slashes at its end. */
export function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "") || "/";
}
