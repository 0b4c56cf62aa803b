import type { ExitCode } from "./exit-codes.ts";

export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

/** How wide and high it is; a terminal that does not know (a serial line, a container) says 0. */
export function sizeOf(
  { columns = 0, rows = 0 }: TextOutput,
  otherwise: { columns: number; rows?: number },
): { columns: number; rows: number } {
  return { columns: columns > 0 ? columns : otherwise.columns, rows: rows > 0 ? rows : (otherwise.rows ?? 24) };
}

/** What a command gets from outside, so that tests can run it in-process. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** Sets the exit status of the program; without a call it is 0. */
  finish(code: ExitCode): void;
}
