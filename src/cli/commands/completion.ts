import { Argument, Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { type Shell, shells } from "../completion/shell-scripts.ts";

/** `rsyncdirector completion`: what a shell needs to complete the command line. */
export function newCompletionCommand(context: CommandContext): Command {
  return new Command("completion")
    .description("Print what bash, zsh or fish needs to complete commands, options, files, jobs and runs.")
    .addArgument(new Argument("<shell>", "bash, zsh or fish").choices(shells))
    .action(async (shell: Shell) => {
      const { shellScripts } = await import("../completion/shell-scripts.ts");
      context.stdout.write(shellScripts[shell]);
    })
    .addHelpText("after", completionHelp);
}

const completionHelp = `
Jobs and runs are those of the configuration that --config names on the line, or $RSYNCDIRECTOR_CONFIG.

Examples:
  rsyncdirector completion bash > /etc/bash_completion.d/rsyncdirector
  rsyncdirector completion zsh > /usr/local/share/zsh/site-functions/_rsyncdirector
  rsyncdirector completion fish > ~/.config/fish/completions/rsyncdirector.fish

Exit status:
  0 printed   78 there is no such shell`;

/** What the scripts ask; for nobody else, and hidden in the help. */
export function newCompleteCommand(context: CommandContext): Command {
  const command = new Command("__complete").argument("[words...]").allowUnknownOption();
  return command.action(async (words: string[]) => {
    const [{ completeWords }, { readKnownWords }] = await Promise.all([
      import("../completion/complete-words.ts"),
      import("../completion/known-words.ts"),
    ]);
    const completion = await completeWords(command.parent ?? command, words, readKnownWords(context));
    if (completion.kind === "files") context.stdout.write(":files\n");
    else for (const { word, about } of completion.candidates) context.stdout.write(`${word}\t${firstLine(about)}\n`);
  });
}

function firstLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
