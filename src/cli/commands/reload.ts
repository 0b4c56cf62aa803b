import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatJson, printable } from "../output.ts";

interface ReloadOptions {
  config?: string;
  json?: boolean;
}

/** `rsyncdirector reload`: take over a changed configuration. */
export function newReloadCommand(context: CommandContext): Command {
  return new Command("reload")
    .description("Let the running director read its configuration again; a bad one leaves the one in use as it is.")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((options: ReloadOptions) => runReload(options, context))
    .addHelpText("after", reloadHelp);
}

const reloadHelp = `
The director reads the file that it was started with. The whole file is checked first, and taken over only
without mistakes.

Examples:
  rsyncdirector config check laptop.yaml && rsyncdirector reload -c laptop.yaml

Exit status:
  0 the new configuration is in use   1 no director is running, or UNKNOWN what it did
  78 the new configuration is bad, and the old one goes on`;

async function runReload(options: ReloadOptions, context: CommandContext): Promise<void> {
  const { openControl } = await import("../control/open-control.ts");
  const control = await openControl(options.config, context);
  const answer = control.answer(await control.client.reload());
  if (options.json === true) context.stdout.write(formatJson(answer));
  else if (answer.ok) {
    context.stdout.write(`${printable(answer.message)}\n`);
    for (const warning of answer.warnings) context.stderr.write(`warning: ${printable(warning)}\n`);
  } else {
    const lines = [answer.message, ...answer.problems].map(printable);
    context.stderr.write(`${lines.join("\n")}\n`);
  }
  if (!answer.ok) context.finish(exitCodes.usage);
}
