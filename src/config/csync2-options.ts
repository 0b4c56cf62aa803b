/** Options that every call of csync2 may have; what they take is in the same word or in the next. */
const takesNothing = "AB";
const takesValue = "DGps";

/** What is a key of its own, or decided by the program. */
const decided: Readonly<Record<string, string>> = {
  C: "use config",
  N: "use hostname",
  P: "use peers",
  F: "it would overwrite what was changed on both sides",
  d: "use run --dry-run",
  v: "the program adds it where it needs it",
  r: "the program adds it where it needs it",
  t: "the program could not read what csync2 says with a time before it",
};

export interface Csync2Options {
  /** The last value of each option that takes one, by its letter. */
  readonly values: ReadonlyMap<string, string>;
  /** What csync2 would do otherwise than the program expects; undefined: nothing. */
  readonly complaint: string | undefined;
}

/** Reads words as csync2 does, which takes `-Bp 30866` for `-B -p 30866`; up to the first that is wrong. */
export function readCsync2Options(words: readonly string[]): Csync2Options {
  const values = new Map<string, string>();
  const wrong = (complaint: string): Csync2Options => ({ values, complaint });
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!/^-[A-Za-z]/.test(word))
      return wrong(`${JSON.stringify(word)} is not an option of csync2; paths belong into path`);
    for (let at = 1; at < word.length; at += 1) {
      const letter = word.charAt(at);
      if (takesValue.includes(letter)) {
        if (at + 1 === word.length) index += 1;
        if (index >= words.length) return wrong(`-${letter} has no value`);
        values.set(letter, word.slice(at + 1) || (words[index] ?? ""));
        break;
      }
      if (takesNothing.includes(letter)) continue;
      return wrong(`-${letter} cannot be used: ${decided[letter] ?? "only -A, -B, -D, -G, -p and -s may be given"}`);
    }
  }
  return { values, complaint: undefined };
}
