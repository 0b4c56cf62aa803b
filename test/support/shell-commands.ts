/** A simple command of a shell script: its words without quotes, assignments before it left out. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** As the reader sees it, for messages. */
  readonly text: string;
}

const wordsThatBegin = new Set(["do", "then", "else", "if", "elif", "while", "until", "!", "{", "("]);
const wordsThatEnd = new Set(["done", "fi", "}", ")"]);
/** Programs that start the rest of their line as a command. */
const carriers: Readonly<Record<string, RegExp>> = { sudo: /^-/, env: /^-|=/, runuser: /^(-\S*|\w+)$/ };

/** Every command of a script, those in `$(…)` and those that `sudo` and the like start included. */
export function shellCommands(script: string): ShellCommand[] {
  const pieces = splitShell(script.replaceAll("\\\n", " "));
  return pieces.flatMap(({ words, inner }) => [
    ...commandOf(words).flatMap(withCarried),
    ...inner.flatMap((text) => shellCommands(text)),
  ]);
}

function commandOf(all: readonly string[]): ShellCommand[] {
  const words = [...all];
  while (words[0] !== undefined && wordsThatBegin.has(words[0])) words.shift();
  const [first] = words;
  if (first === undefined || first === "for" || wordsThatEnd.has(first)) return [];
  while (/^\w+=/.test(words[0] ?? "")) words.shift();
  return words.length === 0 ? [] : [{ words, text: words.join(" ") }];
}

function withCarried(command: ShellCommand): ShellCommand[] {
  const [name = "", ...rest] = command.words;
  const options = carriers[name];
  if (options === undefined) return [command];
  const end = rest.indexOf("--");
  const from = end >= 0 ? end + 1 : rest.findIndex((word) => !options.test(word));
  const words = from < 0 ? [] : rest.slice(from);
  return words.length === 0 ? [command] : [command, ...withCarried({ words, text: words.join(" ") })];
}

interface Piece {
  readonly words: string[];
  /** What stands in `$(…)`. */
  readonly inner: string[];
}

const operators = /^(?:&&|\|\||;;|[;|&\n])/;
const redirection = /^\d*(?:>>|>&|<&|>|<)\s*(?:&?\d\b)?/;

function splitShell(script: string): Piece[] {
  const pieces: Piece[] = [];
  let piece: Piece = { words: [], inner: [] };
  let word: string | undefined;
  let skipsWord = false;
  const endWord = () => {
    if (word !== undefined && !skipsWord) piece.words.push(word);
    if (word !== undefined) skipsWord = false;
    word = undefined;
  };
  const endPiece = () => {
    endWord();
    pieces.push(piece);
    piece = { words: [], inner: [] };
  };
  let rest = script;
  const take = (length: number) => {
    const taken = rest.slice(0, length);
    rest = rest.slice(length);
    return taken;
  };
  while (rest !== "") {
    const operator = operators.exec(rest)?.[0];
    const redirected = word === undefined || /^\d+$/.test(word) ? redirection.exec(rest)?.[0] : undefined;
    const quoted = /^'([^']*)'|^"((?:\\.|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*)"/.exec(rest);
    if (operator !== undefined) {
      take(operator.length);
      endPiece();
    } else if (redirected !== undefined) {
      take(redirected.length);
      word = undefined;
      skipsWord = !/\d$/.test(redirected.trim());
    } else if (word === undefined && rest.startsWith("#")) take(/^[^\n]*/.exec(rest)?.[0].length ?? 0);
    else if (quoted !== null) {
      const text = quoted[1] ?? quoted[2] ?? "";
      if (quoted[2] !== undefined) piece.inner.push(...substitutions(text));
      word = `${word ?? ""}${text}`;
      take(quoted[0].length);
    } else if (rest.startsWith("$(")) {
      const [text = ""] = substitutions(rest);
      piece.inner.push(text);
      word = `${word ?? ""}${take(text.length + 3)}`;
    } else if (/^\s/.test(rest)) {
      take(1);
      endWord();
    } else word = `${word ?? ""}${take(rest.startsWith("\\") ? 2 : 1)}`;
  }
  endPiece();
  return pieces;
}

/** What stands in each `$(…)` of the outermost level. */
function substitutions(text: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf("$("); at >= 0; at = text.indexOf("$(", at)) {
    let depth = 1;
    let end = at + 2;
    for (; end < text.length && depth > 0; end += 1) depth += text[end] === "(" ? 1 : text[end] === ")" ? -1 : 0;
    found.push(text.slice(at + 2, depth === 0 ? end - 1 : end));
    at = end;
  }
  return found;
}
