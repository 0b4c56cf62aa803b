import { OperatorError } from "../base/errors.ts";
import type { RsyncOptions } from "../base/rsync-options.ts";
import { readRsyncWords, rsyncOptionNames } from "../base/rsync-words.ts";
import type { HoldClaim } from "../model/hold.ts";
import { holdLocally, holdRemotely } from "./hold-wrapper.ts";
import { choosePassage, isUnquotable, localOperand, remoteOperand } from "./operands.ts";
import type { RemoteHost } from "./operands.ts";
import { structuredWords } from "./structured-words.ts";

export interface RemoteSide extends RemoteHost {
  readonly side: "source" | "dest";
  readonly shell: readonly string[];
  /** The shell as it is shown to people, if that is another one. */
  readonly shownShell?: readonly string[] | undefined;
}

export interface RsyncCommandSpec {
  readonly sources: readonly string[];
  /** undefined: the sources are listed, a directory's entries only where its path ends in a slash. */
  readonly dest: string | undefined;
  readonly options: RsyncOptions;
  /** The user's own options, already split into words. */
  readonly opts: readonly string[];
  /** The other host, which side of the copy is there, and the remote shell's argv without user and host. */
  readonly remote?: RemoteSide | undefined;
  readonly dryRun: boolean;
  /** Further words of the program's own. They come after the user's, whose filter rules therefore count first. */
  readonly own?: readonly string[] | undefined;
  /** Kernel locks that the side which writes has to hold; none: anybody may write beside it. */
  readonly holds?: readonly HoldClaim[];
}

/**
 * The argv of one sync, `rsync` (or the shell that takes the locks for it) included. Structured options come first and the user's words after
 * them, so that the user's win; ours follow, because the output has to stay readable for the parsers.
 * Throws an OperatorError for operands and words that cannot be passed on safely.
 */
export function buildRsyncCommand(spec: RsyncCommandSpec): string[] {
  const { sources, dest, options, opts, remote, dryRun, own: ownWords = [], holds = [] } = spec;
  if (sources.length === 0) throw new OperatorError("a sync needs a source", { kind: "usage" });
  const own = rsyncOptionNames(opts);
  const stray = strayWord(opts);
  if (stray !== undefined) {
    throw new OperatorError(`${JSON.stringify(stray)} in opts is not an option; paths belong into source and dest`, {
      kind: "usage",
    });
  }
  const remotePaths = remote === undefined ? [] : remote.side === "source" ? sources : dest === undefined ? [] : [dest];
  const structured = structuredWords(options);
  const mustSeclude = own.has("secluded-args") || [...structured, ...opts].some(isUnquotable);
  const passage = remote === undefined ? "plain" : choosePassage(remotePaths, remote.side, mustSeclude);
  const operand = (path: string, side: "source" | "dest") =>
    remote?.side === side ? remoteOperand(path, side, passage, remote) : localOperand(path);
  const writesThere = remote?.side === "dest";
  const program = lastValue(opts, "rsync-path") ?? options.rsyncPath ?? "rsync";
  const argv = [
    "rsync",
    ...(remote === undefined ? [] : ["-e", joinRemoteShell(remote.shell)]),
    ...structured,
    ...opts,
    ...timeoutWord(options, own),
    ...(options.progress === false || own.has("quiet") ? [] : ["--info=progress2"]),
    ...(dryRun ? ["--dry-run", "--itemize-changes"] : []),
    ...ownWords,
    ...(passage === "secluded" ? ["-s"] : []),
    // After the operator's own --rsync-path, which it contains: the last one counts.
    ...(writesThere && holds.length > 0 ? [`--rsync-path=${holdRemotely(holds, program)}`] : []),
    dest === undefined ? "--list-only" : "--stats",
    "--no-human-readable",
    "--outbuf=L",
    "--",
    ...sources.map((source) => operand(source, "source")),
    ...(dest === undefined ? [] : [operand(dest, "dest")]),
  ];
  return !writesThere && holds.length > 0 ? holdLocally(holds, argv) : argv;
}

/** The same call as people could type it: without the locks around it, and over a connection of its own. */
export function asShown(spec: RsyncCommandSpec): RsyncCommandSpec {
  const { remote } = spec;
  const shown = remote === undefined ? undefined : { ...remote, shell: remote.shownShell ?? remote.shell };
  return { ...spec, holds: [], remote: shown };
}

/**
 * One string for rsync's `-e`. rsync splits it at spaces by a rule of its own: single or double quotes
 * keep a word together, a quote inside a quoted word is doubled, and a backslash means nothing.
 */
export function joinRemoteShell(words: readonly string[]): string {
  return words.map((word) => (/^[^\s'"]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`)).join(" ");
}

/** The value that counts of an option that may be given several times. */
function lastValue(opts: readonly string[], name: string): string | undefined {
  const options = readRsyncWords(opts).filter((word) => word.kind === "option");
  return options.findLast((option) => option.name === name)?.value;
}

/** A word that rsync would take for a path, or `--`, after which it would take every word for one. */
function strayWord(opts: readonly string[]): string | undefined {
  for (const word of readRsyncWords(opts)) {
    if (word.kind === "stray") return word.word;
    if (word.name === "") return word.shown;
  }
  return undefined;
}

/** Without a limit a sync whose other side vanished waits for ever. */
function timeoutWord(options: RsyncOptions, names: ReadonlySet<string>): string[] {
  if (options.timeoutSeconds !== undefined || names.has("timeout") || names.has("no-timeout")) return [];
  return ["--timeout=300"];
}
