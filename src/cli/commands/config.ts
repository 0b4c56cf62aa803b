import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { Config } from "../../config/resolved.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatScheduleWarning } from "../schedule-warning.ts";

/** `rsyncdirector config`: check, show and begin configuration files. */
export function newConfigCommand(context: CommandContext): Command {
  const command = new Command("config")
    .description("Check, show or begin a configuration.")
    .addHelpText("after", configHelp);
  command
    .command("check [file...]")
    .description("Check configuration files and name every mistake.")
    .addOption(configOption())
    .action((files: string[], options: { config?: string }) => runConfigCheck({ files, ...options }, context))
    .addHelpText("after", checkHelp);
  command
    .command("show [file]")
    .description("Print the configuration with all defaults filled in and secrets hidden.")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((file: string | undefined, options: { config?: string; json?: boolean }) =>
      runConfigShow({ config: file ?? options.config, json: options.json }, context),
    )
    .addHelpText("after", showHelp);
  command
    .command("schema")
    .description("Print the JSON schema, for editors and other programs.")
    .action(() => runConfigSchema(context))
    .addHelpText("after", schemaHelp);
  command
    .command("init [file]")
    .description("Write an annotated sample (rsyncdirector.yaml unless FILE is given).")
    .action((file: string | undefined) => runConfigInit({ file }, context))
    .addHelpText("after", initHelp);
  return command;
}

const configHelp = `
Examples:
  rsyncdirector config init nas.yaml     begin with an annotated sample
  rsyncdirector config check nas.yaml    name every mistake in it

Exit status:
  0 ok   1 failed   78 wrong configuration`;

const checkHelp = `
Each mistake is one line: FILE:LINE:COLUMN: KEY: what is wrong. Warnings, also those about times that
may not be what was meant, do not change the exit status.

Examples:
  rsyncdirector config check nas.yaml
  rsyncdirector config check /etc/rsyncdirector/*.yaml

Exit status:
  0 every file can be used, perhaps with warnings   78 at least one cannot`;

const showHelp = `
What is printed can itself be loaded, unless it contained secrets.

Examples:
  rsyncdirector config show nas.yaml
  rsyncdirector config show nas.yaml --json | jq '.jobs[].id'

Exit status:
  0 ok   78 wrong configuration`;

const schemaHelp = `
Editors with a YAML language server use the schema if the first line of a file is
  # yaml-language-server: $schema=PATH

Examples:
  rsyncdirector config schema > rsyncdirector.schema.json

Exit status:
  0 ok`;

const initHelp = `
Examples:
  rsyncdirector config init nas.yaml

Exit status:
  0 ok   1 the file exists already or cannot be written`;

/** Checks every file and prints one line for each mistake or warning; `now` is the host's unless a test says otherwise. */
export async function runConfigCheck(
  options: { files: readonly string[]; config?: string | undefined },
  context: CommandContext,
  host: { now?: number } = {},
): Promise<void> {
  const [{ inspectConfig }, { formatProblem }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../config/problem.ts"),
  ]);
  const files = options.files.length > 0 ? options.files : [configPath(options.config, context.env)];
  for (const file of files) {
    try {
      const { config, problems, warnings } = await inspectConfig(file, { env: context.env });
      const odd = config === undefined ? [] : await oddSchedules(config, host.now);
      for (const warning of [...warnings.map(formatProblem), ...odd]) context.stderr.write(`warning: ${warning}\n`);
      for (const problem of problems) context.stderr.write(`${formatProblem(problem)}\n`);
      if (problems.length > 0) context.finish(exitCodes.usage);
      else context.stdout.write(`${file}: OK\n`);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      context.stderr.write(`${error.message}\n`);
      context.finish(exitCodes.usage);
    }
  }
}

async function oddSchedules(config: Config, at: number | undefined): Promise<string[]> {
  const [{ planSchedules }, { findScheduleWarnings }, { systemClock }, { hostname }] = await Promise.all([
    import("../../trigger/schedule-plan.ts"),
    import("../../trigger/schedule-warnings.ts"),
    import("../../base/clock.ts"),
    import("node:os"),
  ]);
  const plans = planSchedules(config, { hostname: hostname() });
  const warnings = findScheduleWarnings(config, { plans, now: at ?? systemClock.now() });
  return warnings.map((warning) => `${config.file}: ${formatScheduleWarning(warning)}`);
}

/** Prints the resolved configuration in the words of the file. */
async function runConfigShow(
  options: { config?: string | undefined; json?: boolean | undefined },
  context: CommandContext,
): Promise<void> {
  const [{ loadConfig }, { describeConfig }, { redactTree }, { stringify }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../config/describe-config.ts"),
    import("../../config/redact.ts"),
    import("yaml"),
  ]);
  const { config } = await loadConfig(configPath(options.config, context.env), { env: context.env });
  const shown = redactTree(describeConfig(config));
  context.stdout.write(options.json === true ? `${JSON.stringify(shown, undefined, 2)}\n` : stringify(shown));
}

const schemaFile = new URL("../../../resources/config.schema.json", import.meta.url);
const sampleFile = new URL("../../../resources/rsyncdirector.yaml", import.meta.url);

/** Prints the JSON schema that comes with the program. */
async function runConfigSchema(context: CommandContext): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  context.stdout.write(await readFile(schemaFile, "utf8"));
}

/** Writes the sample. Its first line leads editors to the schema of this installation. */
async function runConfigInit(options: { file?: string | undefined }, context: CommandContext): Promise<void> {
  const { file = "rsyncdirector.yaml" } = options;
  const [{ readFile, writeFile }, { fileURLToPath }, { describeError, systemErrorCode }] = await Promise.all([
    import("node:fs/promises"),
    import("node:url"),
    import("../../base/errors.ts"),
  ]);
  const sample = await readFile(sampleFile, "utf8");
  const content = sample.replace("$schema=./config.schema.json", `$schema=${fileURLToPath(schemaFile)}`);
  try {
    await writeFile(file, content, { flag: "wx", mode: 0o640 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw new OperatorError(`${file} exists already: it is not overwritten`);
    throw new OperatorError(`${file} cannot be written: ${describeError(error)}`, { cause: error });
  }
  context.stdout.write(`wrote ${file}: edit it, then run rsyncdirector config check ${file}\n`);
}
