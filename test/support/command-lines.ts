import { runProgram } from "../../src/cli/program.ts";

/** What the program would not understand of `rsyncdirector config check -c FILE | less`; undefined: nothing. */
export async function commandComplaint(line: string): Promise<string | undefined> {
  const words =
    line
      .split(/\s+[|>#&;]/, 1)[0]
      ?.split(/\s+/)
      .slice(1) ?? [];
  const command: string[] = [];
  let help = await helpOf(command);
  for (const word of words) {
    if (!/^[a-z]/.test(word) || !/^Commands:/m.test(help)) break;
    if (!new RegExp(`^  ${word}(\\|\\w+)?( |$)`, "m").test(help)) return `there is no command "${word}"`;
    command.push(word);
    help = await helpOf(command);
  }
  const unknown = words
    .filter((word) => /^--?[a-z]/.test(word))
    .filter((word) => !offers(help, word.split("=", 1)[0] ?? ""));
  return unknown.length === 0 ? undefined : `no option ${unknown.join(", ")}`;
}

function offers(help: string, option: string): boolean {
  return new RegExp(`(^|[\\s,])${option}([\\s,]|$)`, "m").test(help);
}

async function helpOf(command: readonly string[]): Promise<string> {
  let text = "";
  const output = { write: (chunk: string) => void (text += chunk) };
  await runProgram([...command, "--help"], { env: {}, stdout: output, stderr: output });
  return text;
}
