import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { wordsComplaint } from "./command-lines.ts";
import { projectFiles, projectRoot, readProjectFile } from "./project-files.ts";
import { type ShellCommand, shellCommands } from "./shell-commands.ts";

/**
 * The programs of others that documents tell to type. Whoever adds one has looked whether Debian has it under that name,
 * with the options that the document uses.
 */
const knownPrograms = new Set([
  ...[
    "apt",
    "apt-get",
    "cat",
    "cd",
    "command",
    "cp",
    "curl",
    "csync2",
    "date",
    "docker",
    "docker-compose",
    "echo",
    "editor",
    "install",
    "journalctl",
  ],
  ...[
    "jq",
    "kill",
    "ls",
    "promtool",
    "rsync",
    "runuser",
    "sed",
    "ssh",
    "ssh-copy-id",
    "ssh-keygen",
    "ssh-keyscan",
    "sudo",
  ],
  ...["sysctl", "systemctl", "systemd-inhibit", "systemd-sysusers", "systemd-tmpfiles", "test", "true"],
]);

const { scripts } = JSON.parse(readProjectFile("package.json")) as { scripts: object };
const unitTemplates = projectFiles().flatMap((path) => /^systemd\/(.+@)\.service$/.exec(path)?.[1] ?? []);

/** What is wrong with a script that a document shows; `seen` counts its commands. */
export async function scriptComplaints(script: string, seen: (program: string) => void): Promise<string[]> {
  const { status, stderr } = spawnSync("sh", ["-n"], { input: script, encoding: "utf8" });
  if (status !== 0) return [`no shell script: ${stderr.trim()}`];
  const complaints: string[] = [];
  for (const command of shellCommands(script)) {
    seen(command.words[0] ?? "");
    const complaint = await commandComplaint(command);
    if (complaint !== undefined) complaints.push(`${command.text}: ${complaint}`);
  }
  return complaints;
}

async function commandComplaint({ words }: ShellCommand): Promise<string | undefined> {
  const [program = "", ...args] = words;
  if (program === "rsyncdirector") return wordsComplaint(args);
  if (program === "npm") return npmComplaint(args);
  if (program === "node") return existsSync(join(projectRoot, args[0] ?? "")) ? undefined : `there is no ${args[0]}`;
  if (!knownPrograms.has(program)) return `${program} is not among the known programs`;
  return args.map(unitComplaint).find((complaint) => complaint !== undefined);
}

export function npmComplaint(args: readonly string[]): string | undefined {
  const [verb = "", name = ""] = args.filter((arg) => !arg.startsWith("--"));
  const script = verb === "run" ? name : verb === "test" ? "test" : undefined;
  if (script === undefined) return ["ci", "i", "install", "pack"].includes(verb) ? undefined : `npm has no ${verb}`;
  return script in scripts ? undefined : `package.json has no script ${script}`;
}

/** An instance is one of a unit that the package brings. */
function unitComplaint(word: string): string | undefined {
  const template = /^(rsyncdirector[\w-]*@)/.exec(word)?.[1];
  return template === undefined || unitTemplates.includes(template) ? undefined : `there is no unit ${template}`;
}
