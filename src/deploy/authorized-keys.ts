import type { PublicKey } from "./public-key.ts";

export type EditedKeys =
  | { readonly kind: "unchanged" }
  | { readonly kind: "added" | "replaced"; readonly text: string }
  /** The line, counted from 1, lets the same key in without a gate, or is none of ours. */
  | { readonly kind: "in-the-way"; readonly line: number };

const ours = /^restrict,command="\/bin\/sh \/[^"\s]*\/gate\.sh[^"]*" /;

/**
 * Puts the line of a key into the text of authorized_keys. Every key is there once: sshd takes the first line that
 * fits, so that a second one would count for nothing, or for more than it should.
 */
export function editAuthorizedKeys(text: string, key: PublicKey, line: string): EditedKeys {
  const lines = text.split("\n");
  const mine = lines.flatMap((other, index) =>
    other.split(/\s+/).includes(key.blob) && !/^\s*#/.test(other) ? [index] : [],
  );
  const stranger = mine.find((index) => !ours.test(lines[index] ?? ""));
  if (stranger !== undefined) return { kind: "in-the-way", line: stranger + 1 };
  const [first, ...surplus] = mine;
  if (first === undefined) {
    const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    return { kind: "added", text: `${before}${line}\n` };
  }
  if (surplus.length === 0 && lines[first] === line) return { kind: "unchanged" };
  lines[first] = line;
  return { kind: "replaced", text: lines.filter((_, index) => !surplus.includes(index)).join("\n") };
}
