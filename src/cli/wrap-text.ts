import { visibleLength } from "./output.ts";

/** Breaks a text at its blanks; a word that is longer than the width stands alone. */
export function wrapText(text: string, { width, first = "", rest = first }: WrapOptions): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && visibleLength(line) + 1 + visibleLength(word) > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

interface WrapOptions {
  readonly width: number;
  /** What the first line and what all others begin with. */
  readonly first?: string;
  readonly rest?: string;
}
