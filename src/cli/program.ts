import { Command, CommanderError } from "commander";
import { coerceError, OperatorError } from "../base/errors.ts";
import type { CommandContext, TextOutput } from "./command-context.ts";
import { loadCommands } from "./command-table.ts";
import { type ExitCode, exitCodeOfError, exitCodes, pluginCodes } from "./exit-codes.ts";
import { programVersion } from "./program-version.ts";

interface ProgramOptions {
  env?: CommandContext["env"];
  stdout?: TextOutput;
  stderr?: TextOutput;
}

/**
 * Runs one command line (without `node` and the script) and returns the exit status. Started with no
 * arguments and the original's environment it is the daemon, so that units of the original go on working.
 */
export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<ExitCode> {
  const { env = process.env, stdout = process.stdout, stderr = process.stderr } = options;
  let exitCode: ExitCode = exitCodes.ok;
  const context: CommandContext = { env, stdout, stderr, finish: (code) => void (exitCode = code) };
  try {
    if (args.length === 0 && namesConfiguration(env)) await (await import("./commands/start.ts")).runStart({}, context);
    else await (await newProgram(args[0], context)).parseAsync(args, { from: "user" });
  } catch (error) {
    const exitStatus = reportError(error, stderr);
    // Whoever runs plugins takes 78 for anything at all.
    return args[0] === "check" && exitStatus !== exitCodes.ok ? pluginCodes.unknown : exitStatus;
  }
  return exitCode;
}

/** `name`: the command that is asked for, where there is one; nobody waits for the modules of the others. */
export async function newProgram(name: string | undefined, context: CommandContext): Promise<Command> {
  const program = new Command("rsyncdirector")
    .description("Automates and coordinates rsync jobs on many Linux hosts.")
    .version(programVersion())
    .showHelpAfterError("(add --help for help)")
    // What follows a command belongs to it, also where its own commands have options of the same names.
    .enablePositionalOptions()
    .addHelpText("after", programHelp);
  for (const { command, hidden } of await loadCommands(name, context)) program.addCommand(command, { hidden });
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  }
  return program;
}

const programHelp = `
Examples:
  rsyncdirector config init /etc/rsyncdirector/laptop.yaml   write an annotated configuration
  rsyncdirector config check -c laptop.yaml                  look for mistakes in it
  rsyncdirector run --dry-run -c laptop.yaml                 show what its jobs would do
  rsyncdirector start -c laptop.yaml                         be the daemon
  rsyncdirector status -c laptop.yaml                        is it fresh, what runs, what waits

Exit status:
  0 ok   1 failed   75 skipped or blocked, try later   78 wrong usage or configuration; \`check\` has its own`;

function* allCommands(command: Command): Iterable<Command> {
  yield command;
  for (const child of command.commands) yield* allCommands(child);
}

function namesConfiguration(env: CommandContext["env"]): boolean {
  return [env.RSYNCDIRECTOR_CONFIG, env.RSYNCMANANGER_CONFIG].some((value) => value !== undefined && value !== "");
}

function reportError(error: unknown, stderr: TextOutput): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const text = error instanceof OperatorError ? error.message : (coerceError(error).stack ?? String(error));
  stderr.write(`${text.startsWith("rsyncdirector: ") ? "" : "rsyncdirector: "}${text}\n`);
  return exitCodeOfError(error);
}
