/** Colours on a terminal, plain text in a pipe or where NO_COLOR asks for it (no-color.org). */
const coloured = process.stdout.isTTY === true && !process.env.NO_COLOR;

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

export type Colour = keyof typeof codes;

export function paint(colour: Colour, text: string): string {
  return coloured ? `\u001B[${codes[colour]}m${text}\u001B[0m` : text;
}

export function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): void {
  say(`\n${paint("bold", text)}`);
}

/** A line that says whether something was as it must be; returns whether it was. */
export function verdict(good: boolean, text: string): boolean {
  say(good ? `  ${paint("green", "✓")} ${text}` : `  ${paint("red", "✗ NOT:")} ${text}`);
  return good;
}
