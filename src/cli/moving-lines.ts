import { sizeOf, type TextOutput } from "./command-context.ts";

/** Lines at the bottom of a terminal that are written anew as things move on. */
export interface MovingLines {
  /** `draw` is asked for its text whenever the lines are written, with the room there is; undefined takes the line away. */
  set(key: string, draw: ((width: number) => string) | undefined): void;
  /** Writes a whole line above them. */
  print(line: string): void;
  /** Takes all of them away. */
  clear(): void;
}

/** The whole lines alone, for pipes and for terminals that cannot move their cursor. */
export function createStillLines(output: TextOutput): MovingLines {
  return { set: () => undefined, print: (line) => void output.write(`${line}\n`), clear: () => undefined };
}

export function createMovingLines(output: TextOutput): MovingLines {
  const lines = new Map<string, (width: number) => string>();
  let shown: string[] = [];

  const erase = () => (shown.length === 0 ? "" : `\r\u001b[K${"\u001b[1A\u001b[K".repeat(shown.length - 1)}`);
  const draw = (above = "") => {
    // A line that is as wide as the terminal would take two.
    const width = Math.max(1, sizeOf(output, { columns: 80 }).columns - 1);
    const next = [...lines.values()].map((line) => line(width).slice(0, width));
    if (above === "" && next.length === shown.length && next.every((line, index) => line === shown[index])) return;
    const text = `${erase()}${above}${next.join("\n")}`;
    output.write(shown.length === 0 && above === "" && next.length > 0 ? `\r\u001b[K${text}` : text);
    shown = next;
  };
  return {
    set: (key, line) => {
      if (line === undefined) lines.delete(key);
      else lines.set(key, line);
      draw();
    },
    print: (line) => draw(`${line}\n`),
    clear: () => {
      lines.clear();
      draw();
    },
  };
}
