import { sizeOf, type TextOutput } from "./command-context.ts";
import { foldLine } from "./display-width.ts";

/** A view that has the terminal to itself, and gives it back as it was. */
export interface FullScreen {
  /** Shows these lines from the top and `foot` below them; what is too much for the terminal is left out, and said. */
  show(lines: readonly string[], foot: string): void;
  close(): void;
}

const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const endOfLine = "\u001b[K\r\n";
const endOfScreen = "\u001b[J";
/** A line that was cut may have lost the end of its colour. */
const plain = "\u001b[0m";

/** Takes the alternate screen; `onResize` is called when there is another amount of room. */
export function openFullScreen(output: TextOutput, onResize: () => void): FullScreen {
  let isOpen = true;
  /** A timer may fire before the signal that goes on is told: what it draws would stay on the screen of the shell. */
  let isSuspended = false;
  const suspend = () => {
    isSuspended = true;
    output.write(leave);
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = () => {
    isSuspended = false;
    output.write(enter);
    onResize();
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off("SIGTSTP", suspend).off("SIGCONT", resume).off("exit", close);
    output.off?.("resize", onResize);
    output.write(leave);
  };
  // Also when a bug ends the program: a terminal without a cursor helps nobody.
  process.on("exit", close);
  process.on("SIGTSTP", suspend).on("SIGCONT", resume);
  output.on?.("resize", onResize);
  output.write(enter);
  return {
    show: (lines, foot) => {
      if (!isOpen || isSuspended) return;
      const { rows, columns } = sizeOf(output, { columns: 80 });
      // What the terminal would break is broken here, or the first lines would be pushed off its top.
      const folded = lines.flatMap((line) => foldLine(line, columns));
      const room = Math.max(1, rows - 1);
      const left = folded.length - room + 1;
      const body =
        left <= 1 ? folded : [...folded.slice(0, room - 1), `${plain}${cut(`… ${left} more lines`, columns)}`];
      const text = [...body, cut(foot, columns)].slice(0, rows).join(endOfLine);
      output.write(`${home}${text}${plain}\u001b[K${endOfScreen}`);
    },
    close,
  };
}

function cut(line: string, columns: number): string {
  return foldLine(line, columns)[0] ?? "";
}
