/**
 * Options that take their value from the next word if there is no `=`, as rsync 3.2.7 and 3.5.0 say
 * when the value is missing. Other options never take the next word, and rsync accepts no
 * abbreviations of long options (tried with both).
 */
const longWithValue: ReadonlySet<string> = new Set(
  [
    "address backup-dir block-size bwlimit cc checksum-choice checksum-seed chmod chown compare-dest compress-choice",
    "compress-level compress-threads config confine-root contimeout copy-as copy-dest debug dparam early-input exclude",
    "exclude-from files-from filter groupmap iconv include include-from info link-dest log-file log-file-format",
    "log-format max-alloc max-delete max-size min-size modify-window only-write-batch out-format outbuf partial-dir",
    "password-file port protocol read-batch remote-option rsh rsync-path skip-compress sockopts stderr stop-after",
    "stop-at suffix temp-dir time-limit timeout usermap write-batch zc zl zt",
  ].flatMap((line) => line.split(" ")),
);

/** Letters that matter here: those with a value, and those whose long name somebody looks for. */
const shortOptions: Readonly<Record<string, { name: string; takesValue?: boolean }>> = {
  "@": { name: "modify-window", takesValue: true },
  B: { name: "block-size", takesValue: true },
  M: { name: "remote-option", takesValue: true },
  T: { name: "temp-dir", takesValue: true },
  e: { name: "rsh", takesValue: true },
  f: { name: "filter", takesValue: true },
  V: { name: "version" },
  n: { name: "dry-run" },
  q: { name: "quiet" },
  s: { name: "secluded-args" },
};

/** One option among the words, or a word that is neither an option nor an option's value. */
export type RsyncWord =
  | {
      readonly kind: "option";
      /** The long name, without dashes; a letter where only the letter is known; empty for `--`. */
      readonly name: string;
      /** As it was written. */
      readonly shown: string;
      /** What is joined to it, or the next word; undefined for an option without a value. */
      readonly value: string | undefined;
      /** It ends the list and its value is missing. */
      readonly lacksValue: boolean;
    }
  | { readonly kind: "stray"; readonly word: string };

/** Reads a list of words as rsync would: clusters such as `-avz`, values in the next word. */
export function readRsyncWords(words: readonly string[]): RsyncWord[] {
  const found: RsyncWord[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!word.startsWith("-") || word === "-") {
      found.push({ kind: "stray", word });
      continue;
    }
    const options = word.startsWith("--") ? [readLong(word)] : readCluster(word);
    const takesNext = options.some((option) => option.takesNext);
    const lacks = takesNext && index + 1 >= words.length;
    for (const { name, shown, value, takesNext: takes } of options) {
      found.push({ kind: "option", name, shown, value: takes ? words[index + 1] : value, lacksValue: lacks && takes });
    }
    if (takesNext) index += 1;
  }
  return found;
}

/**
 * The words without the options that `keep` does not want (by long name, or the letter where only that is known);
 * their values go with them, and clusters such as `-avF` lose single letters.
 */
export function keepRsyncOptions(words: readonly string[], keep: (name: string) => boolean): string[] {
  return groupRsyncWords(words).flatMap(([word = "", ...value]) => {
    const options = readRsyncWords([word]).filter((option) => option.kind === "option");
    if (options.every(({ name }) => keep(name))) return [word, ...value];
    if (word.startsWith("--")) return [];
    // Only the last letter of a cluster can have a value, in the same word or the next.
    const last = options.length - 1;
    const letters = options.map(({ name, shown }, index) => {
      if (!keep(name)) return "";
      return index === last ? `${shown.slice(1)}${word.slice(options.length + 1)}` : shown.slice(1);
    });
    const kept = letters.join("");
    return kept === "" ? [] : [`-${kept}`, ...(letters[last] === "" ? [] : value)];
  });
}

/** Each word that may be an option, together with the next one where that is its value. */
export function groupRsyncWords(words: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const takesNext = readRsyncWords([word]).some((option) => option.kind === "option" && option.lacksValue);
    groups.push(words.slice(index, takesNext ? index + 2 : index + 1));
    if (takesNext) index += 1;
  }
  return groups;
}

/** The names of all options among the words. */
export function rsyncOptionNames(words: readonly string[]): ReadonlySet<string> {
  return new Set(readRsyncWords(words).flatMap((word) => (word.kind === "option" ? [word.name] : [])));
}

/** Whether rsync would remove files at the destination, so that an empty source empties it. */
export function deletesAtDestination(optionName: string): boolean {
  return optionName === "del" || optionName.startsWith("delete");
}

interface Option {
  name: string;
  shown: string;
  value: string | undefined;
  takesNext: boolean;
}

function readLong(word: string): Option {
  const [name = ""] = word.slice(2).split("=", 1);
  const canonical = name === "protect-args" ? "secluded-args" : name;
  const joined = word.indexOf("=");
  const value = joined < 0 ? undefined : word.slice(joined + 1);
  return { name: canonical, shown: `--${name}`, value, takesNext: longWithValue.has(name) && joined < 0 };
}

function readCluster(word: string): Option[] {
  const letters = [...word].slice(1);
  const valued = letters.findIndex((letter) => shortOptions[letter]?.takesValue === true);
  return letters.slice(0, valued < 0 ? letters.length : valued + 1).map((letter, index) => ({
    name: shortOptions[letter]?.name ?? letter,
    shown: `-${letter}`,
    value: index === valued ? letters.slice(valued + 1).join("") : undefined,
    takesNext: index === valued && index === letters.length - 1,
  }));
}
