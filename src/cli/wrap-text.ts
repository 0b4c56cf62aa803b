import { displayWidth } from "./display-width.ts";

/** Breaks a text at its blanks, ends of lines among them; a word that is longer than the width stands alone. */
export function wrapText(text: string, { width, first = "", rest = first }: WrapOptions): string[] {
  const lines: string[] = [];
  let line = first;
  let lineWidth = displayWidth(first);
  let empty = true;
  for (const word of text.split(/[ \t\n]/)) {
    const wordWidth = displayWidth(word);
    if (!empty && lineWidth + 1 + wordWidth > width) {
      lines.push(line);
      line = rest;
      lineWidth = displayWidth(rest);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    lineWidth += empty ? wordWidth : wordWidth + 1;
    empty = false;
  }
  return [...lines, line];
}

/** Breaks the lines of a text that are too long, and leaves those alone that are there to be copied (`→ command`). */
export function wrapLines(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      const [indent = ""] = /^ */.exec(line) ?? [];
      if (displayWidth(line) <= columns || line.startsWith("→", indent.length)) return [line];
      return wrapText(line.slice(indent.length), { width: columns, first: indent, rest: `${indent}    ` });
    })
    .join("\n");
}

interface WrapOptions {
  readonly width: number;
  /** What the first line and what all others begin with. */
  readonly first?: string;
  readonly rest?: string;
}
