/** Asks a person; undefined when nobody is there. Pressing Ctrl-C or Ctrl-D is an empty answer. */
export type Ask = (question: string) => Promise<string>;

/** Undefined when standard input is no terminal: then nobody is asked and nothing is assumed. */
export function askOnTerminal(): Ask | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return undefined;
  return async (question) => {
    const { createInterface } = await import("node:readline");
    const lines = createInterface({ input: stdin, output: stderr });
    return new Promise((resolve) => {
      lines.once("close", () => resolve(""));
      lines.once("SIGINT", () => lines.close());
      lines.question(question, (answer) => {
        resolve(answer.trim());
        lines.close();
      });
    });
  };
}
