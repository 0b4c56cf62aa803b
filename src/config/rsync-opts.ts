import { deletesAtDestination, readRsyncWords } from "../base/rsync-words.ts";
import { splitWords } from "../base/shell-words.ts";

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
  deletes: boolean;
  /** `-n` or `--list-only`: nothing is ever copied. */
  onlyPretends: boolean;
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
  const report: OptsReport = { problems: [], deletes: false, onlyPretends: false };
  for (const word of readRsyncWords(words)) {
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

function judge({ name, shown }: { name: string; shown: string }, report: OptsReport, allowUnsafe: boolean): void {
  const why = Object.hasOwn(unsafe, name) ? unsafe[name] : undefined;
  if (why !== undefined && !allowUnsafe) {
    report.problems.push(`${shown} is not allowed: ${why} (allow_unsafe_opts: true allows it)`);
  }
  const senselessWhy = Object.hasOwn(senseless, name) ? senseless[name] : undefined;
  if (senselessWhy !== undefined) report.problems.push(`${shown} cannot be used: ${senselessWhy}`);
  if (deletesAtDestination(name)) report.deletes = true;
  if (name === "dry-run" || name === "list-only") report.onlyPretends = true;
}
