import { Command } from "commander";
import { type CommandContext, sizeOf } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { wrapLines } from "../wrap-text.ts";

interface ExplainOptions {
  config?: string;
  json?: boolean;
}

/** `rsyncdirector explain JOB`: why a job waits, or does not run. */
export function newExplainCommand(context: CommandContext): Command {
  return new Command("explain")
    .description("Say why a job waits or does not run: who holds its locks, how far that is, and until when it waits.")
    .argument("<job>", "id of a job")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((job: string, options: ExplainOptions) => runExplain(job, options, context))
    .addHelpText("after", explainHelp);
}

const explainHelp = `
It reads the director's pid file and history, and looks at every lock file of the job where it lies, also on
other hosts. Nothing is changed. What nobody can say is called UNKNOWN, and counts as locked.

Examples:
  rsyncdirector explain home -c laptop.yaml
  rsyncdirector explain home -c laptop.yaml --json | jq '.locks[] | select(.state != "free")'

Exit status:
  0 explained, also where parts of it are UNKNOWN   1 there is no such job   78 wrong usage or configuration`;

/** Looks and prints. */
export async function runExplain(job: string, options: ExplainOptions, context: CommandContext): Promise<void> {
  const path = configPath(options.config, context.env);
  const [{ loadConfig }, { explainJob }, { runTool }, { startChild }, { systemClock }, view] = await Promise.all([
    import("../../config/load.ts"),
    import("../../daemon/inspect/explain.ts"),
    import("../../process/run-tool.ts"),
    import("../../process/start-child.ts"),
    import("../../base/clock.ts"),
    import("../explain-view.ts"),
  ]);
  const { config } = await loadConfig(path, { env: context.env });
  const explanation = await explainJob(config, job, { runTool, startChild, clock: systemClock, env: context.env });
  const now = systemClock.now();
  if (options.json === true) return void context.stdout.write(view.explanationAsJson(explanation, now));
  const { columns } = sizeOf(context.stdout, { columns: Infinity });
  context.stdout.write(wrapLines(view.formatExplanation(explanation, now), columns));
}
