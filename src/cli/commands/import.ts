import { Command } from "commander";
import { describeError, OperatorError, systemErrorCode } from "../../base/errors.ts";
import type { ImportedConfig } from "../../config/import-config.ts";
import type { CommandContext } from "../command-context.ts";

interface ImportOptions {
  file: string;
  /** Those of the script that watched what a csync2.cfg includes. */
  flags: readonly string[];
  output?: string | undefined;
}

/** `rsyncdirector import`: older formats become a configuration. */
export function newImportCommand(context: CommandContext): Command {
  return new Command("import")
    .description("Turn a configuration of an older format into a present one.")
    .argument("<file>", "YAML of the Python rsyncdirector, JSON of a watching script, or csync2.cfg")
    .argument("[flags...]", "after --: the flags with which csync2 was driven")
    .option("-o, --output <file>", "write to a new file instead of standard output")
    .action((file: string, flags: string[], options: { output?: string }) =>
      runImport({ file, flags, ...options }, context),
    )
    .addHelpText("after", importHelp);
}

const importHelp = `
Every key and flag is carried over or named in a warning. Comments are not carried over.

Flags that belong to a csync2.cfg:
  --config FILE  --check-interval S  --full-sync-interval S  --max-wait-time S
  --num-lines-until-reset N  --num-batched-changes-threshold N
  --rsync-threshold N  --disable-rsync  --parallel-updates N
  --mode async|thread  --debug  -N HOST  and other options of csync2

Examples:
  rsyncdirector import /etc/rsyncdirector.yaml > nas.yaml
  rsyncdirector import config.json --output nas.yaml && rsyncdirector config check nas.yaml
  rsyncdirector import /etc/csync2/csync2.cfg -- -N host1 --max-wait-time 5 > cluster.yaml

Exit status:
  0 written, perhaps with warnings   1 the output cannot be written   78 FILE or a flag cannot be read`;

/** Prints the imported configuration, and what needs attention on standard error. */
async function runImport(options: ImportOptions, context: CommandContext): Promise<void> {
  const [{ formatProblem }, { writeYaml }, path] = await Promise.all([
    import("../../config/problem.ts"),
    import("../../config/write-yaml.ts"),
    import("node:path"),
  ]);
  const { tree, warnings, problems } = await importAny(options);
  for (const warning of warnings) context.stderr.write(`warning: ${formatProblem(warning)}\n`);
  for (const problem of problems) context.stderr.write(`to be changed: ${formatProblem(problem)}\n`);
  if (problems.length > 0) context.stderr.write("The result cannot be used before that is changed.\n");
  const name = path.basename(options.file).replaceAll(/[^\w.-]/g, "?");
  const text = `# Imported from ${name} by rsyncdirector.\n${writeYaml(tree)}`;
  if (options.output === undefined) context.stdout.write(text);
  else await writeNew(options.output, text);
}

async function importAny({ file, flags }: ImportOptions): Promise<ImportedConfig> {
  const { importCsync2, isCsync2Config } = await import("../../config/import-csync2.ts");
  if (isCsync2Config(file)) return importCsync2(file, flags);
  if (flags.length > 0) {
    throw new OperatorError(`flags belong to a csync2.cfg, and ${file} is none: leave ${flags.join(" ")} out`, {
      kind: "usage",
    });
  }
  const { importConfig } = await import("../../config/import-config.ts");
  return importConfig(file);
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
