import type { CommandContext, TextOutput } from "./command-context.ts";

/** Colours by meaning; without colour every text stays as it is, and says the same. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

/**
 * Whether text may be coloured: FORCE_COLOR decides first, as in Node itself, then NO_COLOR (no-color.org), and
 * otherwise a terminal that can do more than print is coloured.
 */
export function wantsColour(output: TextOutput, env: CommandContext["env"]): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  return canMoveCursor(output, env);
}

/** Whether lines that were written can be written anew. */
export function canMoveCursor(output: TextOutput, env: CommandContext["env"]): boolean {
  return output.isTTY === true && env["TERM"] !== "dumb";
}

export function createPaint(isWanted: boolean): Paint {
  const paint = (code: number) => (text: string) =>
    isWanted && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { good: paint(32), warn: paint(33), bad: paint(31), dim: paint(2), bold: paint(1) };
}

export function paintFor({ stdout, env }: Pick<CommandContext, "stdout" | "env">): Paint {
  return createPaint(wantsColour(stdout, env));
}
