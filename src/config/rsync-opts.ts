import { splitWords } from "../base/shell-words.ts";

/**
 * Options that take their value from the next word if there is no `=`, as rsync 3.5.0 itself says when
 * the value is missing. Other options never take the next word.
 */
const withValue: ReadonlySet<string> = new Set(
  [
    "address backup-dir block-size bwlimit cc checksum-choice checksum-seed chmod chown compare-dest compress-choice",
    "compress-level compress-threads config confine-root contimeout copy-as copy-dest debug dparam early-input exclude",
    "exclude-from files-from filter groupmap iconv include include-from info link-dest log-file log-file-format",
    "log-format max-alloc max-delete max-size min-size modify-window only-write-batch out-format outbuf partial-dir",
    "password-file port protocol read-batch remote-option rsh rsync-path skip-compress sockopts stderr stop-after",
    "stop-at suffix temp-dir time-limit timeout usermap write-batch zc zl zt",
  ]
    .join(" ")
    .split(" "),
);

/** Letters that matter here: those with a value, and those that stand for a long option below. */
const shortOptions: Readonly<Record<string, { name: string; takesValue?: boolean }>> = {
  "@": { name: "modify-window", takesValue: true },
  B: { name: "block-size", takesValue: true },
  M: { name: "remote-option", takesValue: true },
  T: { name: "temp-dir", takesValue: true },
  e: { name: "rsh", takesValue: true },
  f: { name: "filter", takesValue: true },
  V: { name: "version" },
  n: { name: "dry-run" },
};

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

/** All words of the elements of `opts`, as R14 wants them read. */
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

/** Looks for options that must not be there (R13); `allowUnsafe` is the job's `allow_unsafe_opts`. */
export function checkOpts(words: readonly string[], allowUnsafe: boolean): OptsReport {
  const report: OptsReport = { problems: [], deletes: false, onlyPretends: false };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!word.startsWith("-") || word === "-") {
      report.problems.push(
        `${JSON.stringify(word)} is not an option: paths belong into source and dest, and a value is joined to its option by =`,
      );
      continue;
    }
    for (const option of namesIn(word)) {
      judge(option, report, allowUnsafe);
      if (!option.takesNext) continue;
      index += 1;
      if (index >= words.length) report.problems.push(`${option.shown} needs a value`);
    }
  }
  return report;
}

interface Option {
  /** The long name, without dashes; a letter where only the letter matters. */
  name: string;
  /** As it was written. */
  shown: string;
  takesNext: boolean;
}

/** The options in one word: `--x`, `--x=y` or a cluster such as `-avze`. */
function namesIn(word: string): Option[] {
  if (word.startsWith("--")) {
    const [name = ""] = word.slice(2).split("=", 1);
    return [{ name, shown: `--${name}`, takesNext: withValue.has(name) && !word.includes("=") }];
  }
  const letters = [...word].slice(1);
  const valued = letters.findIndex((letter) => shortOptions[letter]?.takesValue === true);
  return letters.slice(0, valued < 0 ? letters.length : valued + 1).map((letter, index) => ({
    name: shortOptions[letter]?.name ?? letter,
    shown: `-${letter}`,
    takesNext: index === valued && index === letters.length - 1,
  }));
}

function judge({ name, shown }: Option, report: OptsReport, allowUnsafe: boolean): void {
  const why = Object.hasOwn(unsafe, name) ? unsafe[name] : undefined;
  if (why !== undefined && !allowUnsafe) {
    report.problems.push(`${shown} is not allowed: ${why} (allow_unsafe_opts: true allows it)`);
  }
  const senselessWhy = Object.hasOwn(senseless, name) ? senseless[name] : undefined;
  if (senselessWhy !== undefined) report.problems.push(`${shown} cannot be used: ${senselessWhy}`);
  if (name === "del" || name.startsWith("delete")) report.deletes = true;
  if (name === "dry-run" || name === "list-only") report.onlyPretends = true;
}
