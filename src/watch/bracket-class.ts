import type { ByteString } from "./byte-string.ts";

/** The classes of wildmatch in the C locale; above 127 nothing belongs to any of them. */
const namedClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\0-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

const allBytes = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/**
 * Reads `[…]` of a pattern as rsync's wildmatch does; `start` is the place of the `[`. null: it is malformed, and a
 * pattern with such a bracket matches nothing. Outside rule: `dowild` in rsync's lib/wildmatch.c.
 */
export function readBracketClass(
  pattern: ByteString,
  start: number,
): { readonly source: string; readonly end: number } | null {
  const matched = new Set<string>();
  let at = start + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at += 1;
  let previous = "";
  // A "]" that comes first stands for itself.
  for (let first = true; first || pattern[at] !== "]"; first = false) {
    const found = readMember(pattern, at, previous);
    if (found === null) return null;
    for (const character of found.members) matched.add(character);
    ({ previous, next: at } = found);
  }
  const members = allBytes.filter((byte) => byte !== "/" && matched.has(byte) !== negated);
  const escaped = members.map((byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return { source: `[${escaped.join("")}]`, end: at };
}

interface Member {
  readonly members: Iterable<string>;
  /** What a "-" that follows begins with; "": nothing. */
  readonly previous: string;
  readonly next: number;
}

function readMember(pattern: ByteString, at: number, previous: string): Member | null {
  const character = pattern[at];
  if (character === undefined) return null;
  if (character === "\\") return literal(pattern[at + 1], at + 2);
  const following = pattern[at + 1];
  if (character === "-" && previous !== "" && following !== undefined && following !== "]") {
    const escaped = following === "\\";
    const last = escaped ? pattern[at + 2] : following;
    if (last === undefined) return null;
    const members = allBytes.filter((byte) => byte >= previous && byte <= last);
    return { members, previous: "", next: at + (escaped ? 3 : 2) };
  }
  if (character === "[" && following === ":") {
    const close = pattern.indexOf("]", at + 2);
    if (close < 0) return null;
    // Without ":]" it is an ordinary "[".
    if (close === at + 2 || pattern[close - 1] !== ":") return literal("[", at + 1);
    const named = namedClasses[pattern.slice(at + 2, close - 1)];
    if (named === undefined) return null;
    return { members: allBytes.filter((byte) => named.test(byte)), previous: "", next: close + 1 };
  }
  return literal(character, at + 1);
}

function literal(character: string | undefined, next: number): Member | null {
  return character === undefined ? null : { members: [character], previous: character, next };
}
