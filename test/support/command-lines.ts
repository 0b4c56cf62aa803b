import { CommanderError } from "commander";
import { newProgram } from "../../src/cli/program.ts";
import { shellCommands } from "./shell-commands.ts";

const nowhere = { write: () => undefined };

/** What the program would not understand of `rsyncdirector config check -c FILE | less`; undefined: nothing. */
export async function commandComplaint(
  line: string,
  options: { mayLackWords?: boolean } = {},
): Promise<string | undefined> {
  const [program = { words: [] }] = shellCommands(line);
  return wordsComplaint(program.words.slice(1), options);
}

/**
 * The same of words that are split already. The program's own command line reads them, and stops before it does what
 * they say. `mayLackWords`: they name a command in a sentence, without what it needs.
 */
export async function wordsComplaint(
  words: readonly string[],
  { mayLackWords = false } = {},
): Promise<string | undefined> {
  const program = await newProgram(words[0], {
    env: {},
    stdout: nowhere,
    stderr: nowhere,
    finish: () => undefined,
  });
  const understood = new Error("understood");
  program.hook("preAction", () => {
    throw understood;
  });
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (error === understood) return undefined;
    if (!(error instanceof CommanderError)) throw error;
    // What it prints instead of doing something: the help of a command, the version.
    const isAnswer = ["commander.help", "commander.helpDisplayed", "commander.version"].includes(error.code);
    const lacksWords = mayLackWords && /^commander\.(missing|optionMissing)/.test(error.code);
    return isAnswer || lacksWords ? undefined : error.message.replace(/^error: /, "");
  }
  return `carried out without being asked for: ${words.join(" ")}`;
}
