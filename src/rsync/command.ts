import { OperatorError } from "../base/errors.ts";
import type { RsyncOptions } from "../base/rsync-options.ts";
import { readRsyncWords, rsyncOptionNames } from "../base/rsync-words.ts";
import { choosePassage, isUnquotable, localOperand, remoteOperand } from "./operands.ts";
import type { RemoteHost } from "./operands.ts";
import { structuredWords } from "./structured-words.ts";

export interface RsyncCommandSpec {
  readonly sources: readonly string[];
  /** undefined: the sources are listed, a directory's entries only where its path ends in a slash. */
  readonly dest: string | undefined;
  readonly options: RsyncOptions;
  /** The user's own options, already split into words. */
  readonly opts: readonly string[];
  /** The other host, which side of the copy is there, and the remote shell's argv without user and host. */
  readonly remote?: (RemoteHost & { readonly side: "source" | "dest"; readonly shell: readonly string[] }) | undefined;
  readonly dryRun: boolean;
}

/**
 * The argv of one sync, `rsync` included. Structured options come first and the user's words after
 * them, so that the user's win; ours follow, because the output has to stay readable for the parsers.
 * Throws an OperatorError for operands and words that cannot be passed on safely.
 */
export function buildRsyncCommand(spec: RsyncCommandSpec): string[] {
  const { sources, dest, options, opts, remote, dryRun } = spec;
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
  return [
    "rsync",
    ...(remote === undefined ? [] : ["-e", joinRemoteShell(remote.shell)]),
    ...structured,
    ...opts,
    ...timeoutWord(options, own),
    ...(options.progress === false || own.has("quiet") ? [] : ["--info=progress2"]),
    ...(dryRun ? ["--dry-run", "--itemize-changes"] : []),
    ...(passage === "secluded" ? ["-s"] : []),
    dest === undefined ? "--list-only" : "--stats",
    "--no-human-readable",
    "--outbuf=L",
    "--",
    ...sources.map((source) => operand(source, "source")),
    ...(dest === undefined ? [] : [operand(dest, "dest")]),
  ];
}

/**
 * One string for rsync's `-e`. rsync splits it at spaces by a rule of its own: single or double quotes
 * keep a word together, a quote inside a quoted word is doubled, and a backslash means nothing.
 */
export function joinRemoteShell(words: readonly string[]): string {
  return words.map((word) => (/^[^\s'"]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`)).join(" ");
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
