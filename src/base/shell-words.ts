/** The words of a line, or why it cannot be split and at which character (from 0). */
export type SplitResult = { words: string[] } | { problem: string; index: number };

/** What a shell would do with these characters outside quotes; doing nothing would change the meaning. */
const refusedBare: Readonly<Record<string, string>> = {
  $: "a shell would expand it",
  "`": "a shell would run it as a command",
  ";": "a shell would end the command there",
  "|": "a shell would start a pipe",
  "&": "a shell would start a background command",
  "<": "a shell would redirect input",
  ">": "a shell would redirect output",
  "(": "a shell would start a subshell",
  ")": "a shell would end a subshell",
  "*": "a shell would expand it to file names",
  "?": "a shell would expand it to file names",
  "[": "a shell would expand it to file names",
  "{": "a shell would expand the braces",
};

/** The same at the beginning of a word only. */
const refusedFirst: Readonly<Record<string, string>> = {
  "~": "a shell would expand it to a home directory",
  "#": "a shell would take the rest for a comment",
};

/** Characters that a backslash takes their meaning from inside double quotes (POSIX.1-2024 XCU 2.2.3). */
const escapableInDoubleQuotes = '$`"\\';

/**
 * Splits a line into words as a POSIX shell does (XCU 2.2 quoting, 2.6.5 field splitting), and refuses
 * whatever a shell would not have passed on literally. The library shell-quote is not used: it drops
 * an unclosed quote, expands `$x` to nothing, hides comments and cannot tell `'*'` from `*`.
 */
export function splitWords(text: string): SplitResult {
  return new Splitter(text).split();
}

/** Writes a word so that a POSIX shell, and `splitWords`, read it as exactly that word. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

class Splitter {
  readonly #text: string;
  readonly #words: string[] = [];
  #at = 0;
  /** undefined between words; an empty string is a word that has begun, as `''` does. */
  #word: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  split(): SplitResult {
    while (this.#at < this.#text.length) {
      const failure = this.#step();
      if (failure !== undefined) return failure;
    }
    this.#endWord();
    return { words: this.#words };
  }

  #step(): SplitResult | undefined {
    const character = this.#text.charAt(this.#at);
    switch (character) {
      case "\0":
        return this.#fail("a NUL character cannot be part of an argument");
      case "\n":
        if (this.#text.slice(this.#at).trim() !== "") return this.#fail("an unquoted line break ends a shell command");
        this.#endWord();
        break;
      case " ":
      case "\t":
        this.#endWord();
        break;
      case "'":
        return this.#singleQuoted();
      case '"':
        return this.#doubleQuoted();
      case "\\":
        return this.#escaped();
      default:
        return this.#bare(character);
    }
    this.#at += 1;
    return undefined;
  }

  #bare(character: string): SplitResult | undefined {
    const why = refusedBare[character] ?? (this.#word === undefined ? refusedFirst[character] : undefined);
    if (why !== undefined) return this.#fail(`unquoted ${character}: ${why}`);
    this.#append(character);
    this.#at += 1;
    return undefined;
  }

  #escaped(): SplitResult | undefined {
    const next = this.#text.charAt(this.#at + 1);
    if (next === "") return this.#fail("a backslash at the end has nothing to quote");
    if (next === "\0") return this.#fail("a NUL character cannot be part of an argument");
    if (next !== "\n") this.#append(next);
    this.#at += 2;
    return undefined;
  }

  #singleQuoted(): SplitResult | undefined {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) return this.#fail("the single quote is never closed");
    const content = this.#text.slice(this.#at + 1, end);
    if (content.includes("\0")) return this.#fail("a NUL character cannot be part of an argument");
    this.#append(content);
    this.#at = end + 1;
    return undefined;
  }

  #doubleQuoted(): SplitResult | undefined {
    const start = this.#at;
    this.#append("");
    for (let at = start + 1; at < this.#text.length; at += 1) {
      const character = this.#text.charAt(at);
      const next = this.#text.charAt(at + 1);
      if (character === '"') {
        this.#at = at + 1;
        return undefined;
      }
      if (character === "\0") return { problem: "a NUL character cannot be part of an argument", index: at };
      if (character === "$" || character === "`") {
        return { problem: `${character} inside double quotes: ${refusedBare[character]}`, index: at };
      }
      if (character === "\\" && next !== "" && escapableInDoubleQuotes.includes(next)) {
        this.#append(next);
        at += 1;
      } else if (character === "\\" && next === "\n") {
        at += 1;
      } else {
        this.#append(character);
      }
    }
    return { problem: "the double quote is never closed", index: start };
  }

  #append(characters: string): void {
    this.#word = (this.#word ?? "") + characters;
  }

  #endWord(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #fail(problem: string): SplitResult {
    return { problem, index: this.#at };
  }
}
