/**
 * Options that take the next word as their value when there is no "=", by `rsync --help` of 3.2.7 and
 * 3.5.0. rsync accepts no abbreviations of long options (tried with both).
 */
const longWithValue: ReadonlySet<string> = new Set(
  (
    "address backup-dir block-size bwlimit cc checksum-choice checksum-seed chmod chown compare-dest compress-choice " +
    "compress-level compress-threads config confine-root contimeout copy-as copy-dest debug dparam early-input exclude " +
    "exclude-from files-from filter groupmap iconv include include-from info link-dest log-file log-file-format log-format " +
    "max-alloc max-delete max-size min-size modify-window only-write-batch out-format outbuf partial-dir password-file " +
    "port protocol read-batch remote-option rsh rsync-path skip-compress sockopts stderr stop-after stop-at suffix " +
    "temp-dir time-limit timeout usermap write-batch zc zl zt"
  ).split(" "),
);

const shortWithValue = "@BMTef";

/** Long names of the short options that this program has to recognise. */
const longNames: Readonly<Record<string, string>> = { q: "quiet", s: "secluded-args", e: "rsh", n: "dry-run" };

export interface OptionWords {
  /** Names without dashes, long where this program knows the long one. */
  readonly names: ReadonlySet<string>;
  /** The first word that is no option and no option's value, or the `--` that ends options. */
  readonly stray: string | undefined;
  /** The value of the last `--rsync-path`, which is the one that counts. */
  readonly rsyncPath: string | undefined;
}

/** Reads a list of words as rsync would: clusters such as `-avz`, values in the next word. */
export function readOptionWords(words: readonly string[]): OptionWords {
  const names = new Set<string>();
  let stray: string | undefined;
  let rsyncPath: string | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--" || word === "-" || !word.startsWith("-")) {
      stray ??= word;
      continue;
    }
    const takesNext = word.startsWith("--") ? readLong(word.slice(2), names) : readCluster(word.slice(1), names);
    if (word === "--rsync-path") rsyncPath = words[index + 1];
    else if (word.startsWith("--rsync-path=")) rsyncPath = word.slice(word.indexOf("=") + 1);
    if (takesNext) index += 1;
  }
  return { names, stray, rsyncPath };
}

function readLong(text: string, names: Set<string>): boolean {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  names.add(name === "protect-args" ? "secluded-args" : name);
  return equals === -1 && longWithValue.has(name);
}

function readCluster(letters: string, names: Set<string>): boolean {
  for (const [index, letter] of [...letters].entries()) {
    names.add(longNames[letter] ?? letter);
    if (shortWithValue.includes(letter)) return index === [...letters].length - 1;
  }
  return false;
}

/** Whether rsync would remove files at the destination, so that an empty source empties it. */
export function deletesAtDestination(names: ReadonlySet<string>): boolean {
  return [...names].some((name) => name === "del" || name.startsWith("delete"));
}
