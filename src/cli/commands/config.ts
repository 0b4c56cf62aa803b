import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { addConfigCheckCommand } from "./config-check.ts";

/** `rsyncdirector config`: check, show and begin configuration files. */
export function newConfigCommand(context: CommandContext): Command {
  const command = new Command("config")
    .description("Check, show or begin a configuration.")
    .addHelpText("after", configHelp);
  addConfigCheckCommand(command, context);
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

/** Prints the resolved configuration in the words of the file. */
async function runConfigShow(
  options: { config?: string | undefined; json?: boolean | undefined },
  context: CommandContext,
): Promise<void> {
  const [{ loadConfig }, { describeConfig }, { redactTree }, { writeYaml }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../config/describe-config.ts"),
    import("../../config/redact.ts"),
    import("../../config/write-yaml.ts"),
  ]);
  const { config } = await loadConfig(configPath(options.config, context.env), { env: context.env });
  const shown = redactTree(describeConfig(config));
  context.stdout.write(options.json === true ? `${JSON.stringify(shown, undefined, 2)}\n` : writeYaml(shown));
}

const schemaFile = "resources/config.schema.json";
const sampleFile = "resources/rsyncdirector.yaml";

/** Prints the JSON schema that comes with the program. */
async function runConfigSchema(context: CommandContext): Promise<void> {
  const [{ readFile }, { packageFile }] = await Promise.all([
    import("node:fs/promises"),
    import("../../base/package-file.ts"),
  ]);
  context.stdout.write(await readFile(packageFile(schemaFile), "utf8"));
}

/** Writes the sample. Its first line leads editors to the schema of this installation. */
async function runConfigInit(options: { file?: string | undefined }, context: CommandContext): Promise<void> {
  const { file = "rsyncdirector.yaml" } = options;
  const [{ readFile, writeFile }, { packageFile }, { describeError, systemErrorCode }] = await Promise.all([
    import("node:fs/promises"),
    import("../../base/package-file.ts"),
    import("../../base/errors.ts"),
  ]);
  const sample = await readFile(packageFile(sampleFile), "utf8");
  const content = sample.replace("$schema=./config.schema.json", `$schema=${packageFile(schemaFile)}`);
  try {
    await writeFile(file, content, { flag: "wx", mode: 0o640 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw new OperatorError(`${file} exists already: it is not overwritten`);
    throw new OperatorError(`${file} cannot be written: ${describeError(error)}`, { cause: error });
  }
  context.stdout.write(`wrote ${file}: edit it, then run rsyncdirector config check ${file}\n`);
}
