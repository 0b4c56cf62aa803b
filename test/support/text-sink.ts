import type { CommandContext, TextOutput } from "../../src/cli/command-context.ts";
import type { ExitCode } from "../../src/cli/exit-codes.ts";

/** Collects what a command writes. */
export class TextSink implements TextOutput {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 80;

  constructor(options: { isTTY?: boolean } = {}) {
    this.isTTY = options.isTTY ?? false;
  }

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

/** A context whose outputs and exit status a test can read. */
export function buildContext(
  env: CommandContext["env"] = {},
): CommandContext & { stdout: TextSink; stderr: TextSink; exitCode: ExitCode } {
  const context = {
    env,
    stdout: new TextSink(),
    stderr: new TextSink(),
    exitCode: 0 as ExitCode,
    finish: (code: ExitCode) => void (context.exitCode = code),
  };
  return context;
}
