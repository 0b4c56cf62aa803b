import { OperatorError } from "../base/errors.ts";

/** The command line of a script that watches what csync2 synchronises, with its defaults filled in. */
export interface Csync2Flags {
  /** undefined: not given. */
  readonly config: string | undefined;
  readonly checkInterval: number;
  readonly fullSyncInterval: number;
  readonly numLinesUntilReset: number;
  readonly numBatchedChangesThreshold: number;
  /** undefined: `--disable-rsync`. */
  readonly rsyncThreshold: number | undefined;
  readonly parallelUpdates: number;
  readonly maxWaitTime: number;
  readonly debug: boolean;
  /** `-N`, `-C` and `-P` of csync2. */
  readonly hostname: string | undefined;
  readonly configName: string | undefined;
  readonly peers: readonly string[];
  /** What else csync2 was to be given, as words. */
  readonly csync2Words: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly { readonly flag: string; readonly message: string }[];
}

const longFlags = {
  config: "text",
  "check-interval": "number",
  "full-sync-interval": "number",
  "num-lines-until-reset": "number",
  "num-batched-changes-threshold": "number",
  "rsync-threshold": "number",
  "parallel-updates": "number",
  "max-wait-time": "number",
  mode: "text",
  "disable-rsync": "switch",
  debug: "switch",
} as const;

type LongFlag = keyof typeof longFlags;

/** Options of csync2 that every call may have; those of `takesValue` have a value in the same word or the next. */
const kept = "ABtDGps";
const takesValue = "NCPDGpsWk";

const decided: Readonly<Record<string, string>> = {
  d: "was left out: rsyncdirector run --dry-run shows what would be done",
  F: "was left out: it would overwrite what was changed on both sides",
  v: "was left out: the program adds it where it needs it",
  r: "was left out: the program adds it where it needs it",
};

/** Reads the flags. Throws an `OperatorError` of kind `usage` for a value that is missing or no number. */
export function readCsync2Flags(words: readonly string[]): Csync2Flags {
  const reader = new FlagReader(words);
  reader.read();
  const number = (flag: LongFlag, fallback: number) => reader.number(flag) ?? fallback;
  return {
    config: reader.long.get("config"),
    checkInterval: number("check-interval", 0.5),
    fullSyncInterval: number("full-sync-interval", 3600),
    numLinesUntilReset: number("num-lines-until-reset", 200_000),
    numBatchedChangesThreshold: number("num-batched-changes-threshold", 15_000),
    rsyncThreshold: reader.long.has("disable-rsync") ? undefined : number("rsync-threshold", 5000),
    parallelUpdates: number("parallel-updates", 1),
    maxWaitTime: number("max-wait-time", 10),
    debug: reader.long.has("debug"),
    hostname: reader.short.get("N"),
    configName: reader.short.get("C"),
    peers: (reader.short.get("P") ?? "").split(",").filter(Boolean),
    csync2Words: reader.csync2Words,
    notes: reader.notes,
  };
}

class FlagReader {
  readonly long = new Map<LongFlag, string>();
  readonly short = new Map<string, string>();
  readonly csync2Words: string[] = [];
  readonly notes: { flag: string; message: string }[] = [];
  readonly #words: readonly string[];
  #index = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  read(): void {
    while (this.#index < this.#words.length) {
      const word = this.#words[this.#index++] ?? "";
      if (word.startsWith("--")) this.#readLong(word);
      else if (word.startsWith("-m")) this.#setMode(word.slice(2) || this.#value("-m"));
      else if (/^-[A-Za-z]/.test(word)) this.#readShort(word);
      else this.notes.push({ flag: word, message: "is no flag of the script and was left out" });
    }
  }

  number(flag: LongFlag): number | undefined {
    const text = this.long.get(flag);
    if (text === undefined) return undefined;
    if (!/^\d+(?:\.\d+)?$/.test(text)) throw usage(`--${flag} must be a number; got ${JSON.stringify(text)}`);
    return Number(text);
  }

  /** Flags may be shortened, as long as they mean one only. */
  #readLong(word: string): void {
    const [name = "", ...rest] = word.slice(2).split("=");
    const names = Object.keys(longFlags) as LongFlag[];
    const meant = names.filter((each) => each === name || each.startsWith(name));
    const flag = names.find((each) => each === name) ?? (meant.length === 1 ? meant[0] : undefined);
    if (flag === undefined || name === "") {
      this.notes.push({ flag: word, message: "is no flag of the script and was left out" });
      return;
    }
    if (longFlags[flag] === "switch") this.long.set(flag, "");
    else {
      const value = rest.length > 0 ? rest.join("=") : this.#value(`--${flag}`);
      if (flag === "mode") this.#setMode(value);
      else this.long.set(flag, value);
    }
  }

  #setMode(value: string): void {
    this.notes.push({
      flag: `--mode ${value}`,
      message: "was left out: there is one way of working, with one event loop",
    });
  }

  /** `-Bt`, `-N host1`, `-Nhost1`: one option to a letter, until one that has a value. */
  #readShort(word: string): void {
    for (let at = 1; at < word.length; at += 1) {
      const letter = word.charAt(at);
      if (takesValue.includes(letter)) {
        this.#keepValue(letter, word.slice(at + 1) || this.#value(`-${letter}`));
        return;
      }
      if (kept.includes(letter)) this.csync2Words.push(`-${letter}`);
      else this.#leaveOut(letter);
    }
  }

  #keepValue(letter: string, value: string): void {
    if ("NCP".includes(letter)) this.short.set(letter, value);
    else if (kept.includes(letter)) this.csync2Words.push(`-${letter}`, value);
    else this.#leaveOut(letter);
  }

  #leaveOut(letter: string): void {
    const message = decided[letter] ?? "was left out: what csync2 is to do is decided by the action";
    this.notes.push({ flag: `-${letter}`, message });
  }

  #value(flag: string): string {
    const value = this.#words[this.#index++];
    if (value === undefined) throw usage(`${flag} needs a value`);
    return value;
  }
}

function usage(message: string): OperatorError {
  return new OperatorError(message, { kind: "usage" });
}
