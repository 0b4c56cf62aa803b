import type { TextOutput } from "./command-context.ts";

/** A view that has the terminal to itself, and gives it back as it was. */
export interface FullScreen {
  /** Shows these lines from the top; what is too much for the terminal is left out, and said. */
  show(lines: readonly string[]): void;
  close(): void;
}

const enter = "\u001b[?1049h\u001b[?25l";
const leave = "\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const endOfLine = "\u001b[K\r\n";
const endOfScreen = "\u001b[J";

/** Takes the alternate screen; `onResize` is called when there is another amount of room. */
export function openFullScreen(output: TextOutput, onResize: () => void): FullScreen {
  let isOpen = true;
  const suspend = () => {
    output.write(leave);
    process.kill(process.pid, "SIGSTOP");
  };
  const resume = () => {
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
    show: (lines) => {
      if (!isOpen) return;
      const rows = Math.max(2, output.rows ?? 24);
      const shown =
        lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`];
      output.write(home + shown.join(endOfLine) + "\u001b[K" + endOfScreen);
    },
    close,
  };
}
