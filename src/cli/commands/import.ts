import { Command } from "commander";
import { describeError, OperatorError, systemErrorCode } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";

interface ImportOptions {
  file: string;
  output?: string | undefined;
}

/** `rsyncdirector import`: older formats become a configuration. */
export function newImportCommand(context: CommandContext): Command {
  return new Command("import")
    .description("Turn a configuration of an older format into a present one.")
    .argument("<file>", "YAML of the Python rsyncdirector, or JSON of the watching script")
    .option("-o, --output <file>", "write to a new file instead of standard output")
    .action((file: string, options: { output?: string }) => runImport({ file, ...options }, context))
    .addHelpText("after", importHelp);
}

const importHelp = `
Every key of FILE is carried over or named in a warning. Comments are not carried over.

Examples:
  rsyncdirector import /etc/rsyncdirector.yaml > nas.yaml
  rsyncdirector import config.json --output nas.yaml && rsyncdirector config check nas.yaml

Exit status:
  0 written, perhaps with warnings   1 the output cannot be written   78 FILE cannot be read`;

/** Prints the imported configuration, and what needs attention on standard error. */
async function runImport(options: ImportOptions, context: CommandContext): Promise<void> {
  const [{ importConfig }, { formatProblem }, { stringify }, path] = await Promise.all([
    import("../../config/import-config.ts"),
    import("../../config/problem.ts"),
    import("yaml"),
    import("node:path"),
  ]);
  const { tree, warnings, problems } = await importConfig(options.file);
  for (const warning of warnings) context.stderr.write(`warning: ${formatProblem(warning)}\n`);
  for (const problem of problems) context.stderr.write(`to be changed: ${formatProblem(problem)}\n`);
  if (problems.length > 0) context.stderr.write("The result cannot be used before that is changed.\n");
  const name = path.basename(options.file).replaceAll(/[^\w.-]/g, "?");
  const text = `# Imported from ${name} by rsyncdirector.\n${stringify(tree, { aliasDuplicateObjects: false })}`;
  if (options.output === undefined) context.stdout.write(text);
  else await writeNew(options.output, text);
}

async function writeNew(file: string, text: string): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  try {
    await writeFile(file, text, { flag: "wx", mode: 0o640 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw new OperatorError(`${file} exists already: it is not overwritten`);
    throw new OperatorError(`${file} cannot be written: ${describeError(error)}`, { cause: error });
  }
}
