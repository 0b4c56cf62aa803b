import { rsyncLongOptions } from "../base/rsync-long-options.ts";
import { deletesAtDestination, readRsyncWords, type RsyncWord } from "../base/rsync-words.ts";
import { splitWords } from "../base/shell-words.ts";
import { suggest } from "./spelling.ts";

/** Options that run programs, or write or read elsewhere, with what to use instead. */
const unsafe: Readonly<Record<string, string>> = {
  rsh: "user, host, port, private_ssh_key and ssh say how to connect",
  "rsync-path": "it runs a program on the other host",
  "remote-option": "it hands options to the other host unseen",
  daemon: "it makes rsync a server",
  config: "it belongs to rsync's own daemon",
  dparam: "it belongs to rsync's own daemon",
  "early-input": "it belongs to rsync's own daemon",
  "log-file": "the program's own log has what rsync says",
  "write-batch": "it writes a second copy elsewhere",
  "only-write-batch": "it writes elsewhere instead of to dest",
  "read-batch": "it takes the data from elsewhere",
  "password-file": "it belongs to rsync's own daemon",
  "old-args": "it lets the other host's shell interpret paths",
  "copy-as": "it changes the user",
  "write-devices": "it overwrites whole disks",
  "trust-sender": "it lets the other host choose what is written",
  "ignore-errors": "it deletes at dest also what could not be read at the source",
};

const senseless: Readonly<Record<string, string>> = {
  "": "it ends the options; source and dest are keys of their own",
  server: "rsync uses it between its own processes",
  sender: "rsync uses it between its own processes",
  help: "rsync would print its help and copy nothing",
  version: "rsync would print its version and copy nothing",
};

/** What the words of `opts` mean for the checks. */
export interface OptsReport {
  /** Complaints, ready for a message. */
  problems: string[];
  /** What is probably a slip. */
  warnings: string[];
  deletes: boolean;
  /** What is left out is deleted as well. */
  deletesExcluded: boolean;
  /** `-n` or `--list-only`: nothing is ever copied. */
  onlyPretends: boolean;
  /** What becomes of a directory: copied with all below it, listed one level deep, or skipped. */
  directories: "tree" | "level" | "skipped";
  filters: FilterReport;
}

/** What is left out, as far as the words themselves say. */
export interface FilterReport {
  excludes: string[];
  /** What is never deleted at the destination, though it is not left out. */
  protects: string[];
  /** Rules in files, a list of files, or `-x`: what they leave out cannot be seen here. */
  unseen: boolean;
}

export interface SplitOpts {
  words: string[];
  /** Elements that a shell would not have passed on literally. */
  problems: { element: number; problem: string }[];
}

/** All words of the elements of `opts`. */
export function splitOpts(opts: readonly string[]): SplitOpts {
  const split: SplitOpts = { words: [], problems: [] };
  for (const [element, text] of opts.entries()) {
    const result = splitWords(text);
    if ("words" in result) split.words.push(...result.words);
    else
      split.problems.push({
        element,
        problem: `${result.problem} (character ${result.index + 1} of ${JSON.stringify(text)})`,
      });
  }
  return split;
}

/** Looks for options that must not be there; `allowUnsafe` is the job's `allow_unsafe_opts`. */
export function checkOpts(words: readonly string[], allowUnsafe: boolean): OptsReport {
  const read = readRsyncWords(words);
  const report: OptsReport = {
    problems: [],
    warnings: [],
    deletes: false,
    deletesExcluded: false,
    onlyPretends: false,
    directories: readDirectories(read),
    filters: readFilters(read),
  };
  for (const word of read) {
    if (word.kind === "stray") {
      report.problems.push(
        `${JSON.stringify(word.word)} is not an option: paths belong into source and dest, and a value is joined to its option by =`,
      );
      continue;
    }
    judge(word, report, allowUnsafe);
    if (word.lacksValue) report.problems.push(`${word.shown} needs a value`);
  }
  return report;
}

/** The last of the options that contradict each other wins, except that `-a` never takes `-r` away (tried). */
function readDirectories(words: readonly RsyncWord[]): OptsReport["directories"] {
  let tree = false;
  let level: boolean | undefined;
  let lists = false;
  for (const word of words) {
    if (word.kind === "stray") continue;
    if (["a", "archive", "r", "recursive"].includes(word.name)) tree = true;
    if (["no-r", "no-recursive"].includes(word.name)) tree = false;
    if (["d", "dirs", "old-d", "old-dirs"].includes(word.name)) level = true;
    if (["no-d", "no-dirs"].includes(word.name)) level = false;
    if (["list-only", "files-from", "read-batch"].includes(word.name)) lists = true;
  }
  if (tree) return "tree";
  return (level ?? lists) ? "level" : "skipped";
}

function readFilters(words: readonly RsyncWord[]): FilterReport {
  const report: FilterReport = { excludes: [], protects: [], unseen: false };
  for (const word of words) {
    if (word.kind === "stray") continue;
    if (word.name === "exclude") report.excludes.push(word.value ?? "");
    if (word.name === "filter") readFilterRule(word.value ?? "", report);
    if (["exclude-from", "files-from", "F", "x", "one-file-system"].includes(word.name)) report.unseen = true;
  }
  return report;
}

/** Adds what a rule of `--filter` leaves out, or protects. */
export function readFilterRule(rule: string, report: FilterReport): void {
  const exclude = /^(?:-,?[^\s_]*|exclude(?:,[^\s_]*)?)[ _](.+)$/.exec(rule)?.[1];
  const protect = /^(?:P|protect)(?:,[^\s_]*)?[ _](.+)$/.exec(rule)?.[1];
  if (exclude !== undefined) report.excludes.push(exclude);
  else if (protect !== undefined) report.protects.push(protect);
  else if (/^(?:[.:]|merge|dir-merge)/.test(rule)) report.unseen = true;
}

function judge(word: Extract<RsyncWord, { kind: "option" }>, report: OptsReport, allowUnsafe: boolean): void {
  const { name, shown, value = "" } = word;
  const why = Object.hasOwn(unsafe, name)
    ? unsafe[name]
    : name === "files-from" && /^[^/:]+:/.test(value)
      ? "it lets the other host choose what is copied"
      : undefined;
  if (why !== undefined && !allowUnsafe) {
    report.problems.push(`${shown} is not allowed: ${why} (allow_unsafe_opts: true allows it)`);
  }
  const senselessWhy = Object.hasOwn(senseless, name) ? senseless[name] : undefined;
  if (senselessWhy !== undefined) report.problems.push(`${shown} cannot be used: ${senselessWhy}`);
  if ((name === "info" || name === "debug") && /(?:^|,)help\d*(?:,|$)/i.test(value)) {
    report.problems.push(`${shown}=${value} cannot be used: rsync would print its help and copy nothing`);
  }
  if (shown.startsWith("--") && name !== "" && !rsyncLongOptions.has(shown.slice(2))) {
    const suggestion = suggest(shown.slice(2), [...rsyncLongOptions]);
    const instead = suggestion === undefined ? "" : `; did you mean --${suggestion}?`;
    report.warnings.push(`${shown} is no option of rsync 3.5.0, which would refuse to start${instead}`);
  }
  if (deletesAtDestination(name)) report.deletes = true;
  if (name === "delete-excluded") report.deletesExcluded = true;
  if (name === "dry-run" || name === "list-only") report.onlyPretends = true;
}
