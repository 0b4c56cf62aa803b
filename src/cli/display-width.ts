/** What makes text coloured; it takes no room. */
const colourCode = /\u001b\[[\d;]*m/g;

const plain = /^[ -~]*$/;
/** East Asian characters that take two columns (Unicode Standard Annex 11), and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{17000}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks that stand on the character before them, and what is not to be seen. */
const none = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** How many columns of a terminal a text takes. */
export function displayWidth(text: string): number {
  if (plain.test(text)) return text.length;
  const shown = text.replaceAll(colourCode, "");
  if (plain.test(shown)) return shown.length;
  let width = 0;
  for (const character of shown) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  if (character <= "~") return 1;
  if (wide.test(character)) return 2;
  return none.test(character) ? 0 : 1;
}

/** Breaks a line where a terminal of that many columns would; colours go on over the break. */
export function foldLine(line: string, columns: number): string[] {
  if (displayWidth(line) <= columns) return [line];
  const folded: string[] = [];
  let current = "";
  let width = 0;
  for (const [part] of line.matchAll(/\u001b\[[\d;]*m|./gsu)) {
    const more = part.startsWith("\u001b") ? 0 : widthOf(part);
    if (width + more > columns && width > 0) {
      folded.push(current);
      current = "";
      width = 0;
    }
    current += part;
    width += more;
  }
  return [...folded, current];
}
