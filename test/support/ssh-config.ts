import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StartChild } from "../../src/base/kept-child.ts";
import type { RunTool } from "../../src/base/tool-runner.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import type { TestSshd } from "./sshd.ts";
import { makeTempDir } from "./temp-dir.ts";

/** The programs of the real thing, except that ssh reads this text instead of the user's configuration. */
export async function programsWithSshConfig(
  text: string,
): Promise<{ runTool: RunTool; startChild: StartChild; file: string }> {
  const file = join(await makeTempDir(), "ssh_config");
  await writeFile(file, text);
  const withConfig = (command: readonly [string, ...string[]]): [string, ...string[]] => {
    const [program, ...args] = command;
    return program === "ssh" ? ["ssh", "-F", file, ...args] : [program, ...args];
  };
  return {
    file,
    runTool: (command, options) => runTool(withConfig(command), options),
    startChild: (command, listeners) => startChild(withConfig(command), listeners),
  };
}

/** A `Host` section that leads to a test sshd. */
export function hostSection(name: string, sshd: TestSshd, ...more: string[]): string {
  const lines = [
    `Host ${name}`,
    `HostName ${sshd.host}`,
    `Port ${sshd.port}`,
    `User ${sshd.user}`,
    `IdentityFile "${sshd.identityFile}"`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${sshd.knownHostsFile}`,
    ...more,
  ];
  return `${lines.join("\n  ")}\n`;
}
