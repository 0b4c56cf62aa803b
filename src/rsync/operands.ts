import { OperatorError } from "../base/errors.ts";

/** An account on another host as rsync's operands name it. */
export interface RemoteHost {
  readonly host: string;
  /** undefined: the remote shell chooses. */
  readonly user: string | undefined;
}

/** What no shell and no rsync gives a meaning: such paths go through the remote shell unchanged. */
const plainPath = /^[\w@%+=:,./~^\u0080-\uffff-]*$/;
const wildcard = /[*?[\]]/;
const unquotable = /[\n`]/;

/** rsync 3.2 does not quote backticks, and no version can quote a line end, for the remote shell. */
export function isUnquotable(word: string): boolean {
  return unquotable.test(word);
}

/** A path on this host. Throws an OperatorError for what rsync would take for another host or a daemon. */
export function localOperand(path: string): string {
  checkPath(path);
  if (/^[^/]*:/.test(path)) {
    throw refused(path, "is taken for a host because of its colon; for a local path begin it with ./ or /");
  }
  return path.startsWith("-") ? `./${path}` : path;
}

/**
 * How remote paths get through: `plain` as they are; `quoted` by rsync's own quoting for the remote
 * shell; `secluded` inside the protocol (`-s`), past every shell.
 */
export type Passage = "plain" | "quoted" | "secluded";

/**
 * The way on which every one of these remote paths arrives exactly as it is written. Tried with all
 * pairs of 3.2.7 and 3.5.0: with `-s` everything passes but wildcards in a destination, which the
 * remote rsync expands and which nothing can quote there; rsync's own quoting leaves wildcards to us
 * but cannot do everything else. `mustSeclude`: other words of the command need `-s` anyway.
 */
export function choosePassage(paths: readonly string[], side: "source" | "dest", mustSeclude: boolean): Passage {
  const needsQuoting = paths.some((path) => !plainPath.test(path));
  if (!needsQuoting && !mustSeclude) return "plain";
  const expanding = side === "dest" ? paths.find((path) => wildcard.test(path)) : undefined;
  if (expanding === undefined) return "secluded";
  if (mustSeclude) throw refused(expanding, "cannot be a remote destination together with options that need -s");
  if (!isUnquotable(expanding)) return "quoted";
  throw refused(expanding, "cannot be a remote destination: rsync can quote wildcards, or line ends and backticks");
}

/** `user@host:path` for a path on another host. Throws an OperatorError where rsync cannot carry it. */
export function remoteOperand(path: string, side: "source" | "dest", passage: Passage, at: RemoteHost): string {
  checkPath(path);
  const fromHome = passage === "secluded" || path === "~" ? withoutTilde(path) : path;
  const escaped = passage === "quoted" || side === "source" ? escapeWildcards(fromHome, passage) : fromHome;
  // "host::x" would be a daemon's module, and "-x" an option of the remote rsync.
  return `${hostPrefix(at)}:${/^[:-]/.test(escaped) ? "./" : ""}${escaped}`;
}

/** rsync's own quoting doubles backslashes itself; its expansion past the shell wants them doubled by us. */
function escapeWildcards(path: string, passage: Passage): string {
  if (!wildcard.test(path)) return path;
  return path.replace(passage === "secluded" ? /[*?[\]\\]/g : /[*?[\]]/g, "\\$&");
}

/** Past the remote shell nobody expands `~`; relative paths begin in the home directory anyway. */
function withoutTilde(path: string): string {
  if (path === "~" || path === "~/") return path.replace("~", ".");
  if (path.startsWith("~/")) return path.slice(2).replace(/^\/+/, "");
  if (path.startsWith("~"))
    throw refused(path, "needs the remote shell to find the home directory; write the full path");
  return path;
}

function hostPrefix({ host, user }: RemoteHost): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (bare.startsWith("-") || !/^[\p{L}\p{N}_.:%+-]+$/u.test(bare)) throw refused(host, "is not a host name");
  if (user !== undefined && (user.startsWith("-") || !/^[^\s:/\p{Cc}]+$/u.test(user))) {
    throw refused(user, "is not a user name");
  }
  const bracketed = bare.includes(":") ? `[${bare}]` : bare;
  return user === undefined ? bracketed : `${user}@${bracketed}`;
}

function checkPath(path: string): void {
  if (path === "") throw new OperatorError("a source or destination path is empty", { kind: "usage" });
  if (path.includes("\0")) throw refused(path, "contains a zero byte, which no path can have");
  if (/^rsync:\/\//i.test(path) || /^[^/:]+::/.test(path)) {
    throw refused(path, "names an rsync daemon, which is not supported");
  }
}

function refused(text: string, why: string): OperatorError {
  return new OperatorError(`${JSON.stringify(text)} ${why}`, { kind: "usage" });
}
