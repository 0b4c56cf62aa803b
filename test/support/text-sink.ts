import type { TextOutput } from "../../src/cli/command-context.ts";

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
