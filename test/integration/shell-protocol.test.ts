import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { collectAnswers, frameOperation, inSubshell, newNonce } from "../../src/ssh/shell-protocol.ts";

describe.each(["/bin/sh", "bash --posix", "busybox sh"])("operations in %s", (shell) => {
  const [program = "", ...args] = shell.split(" ");
  const runAll = async (commands: readonly string[]) => {
    const operations = commands.map((command) => ({ nonce: newNonce(), command }));
    const input = operations.map(({ nonce, command }) => frameOperation(nonce, command)).join("");
    const { stdout } = await execa(program, [...args, "-s"], { input, reject: false });
    return operations.map(({ nonce }) => ({
      answers: collectAnswers(stdout, nonce),
      ends: stdout.split("\n").filter((line) => line === `RD1 ${nonce} END`).length,
    }));
  };
  const say = (text: string) => `printf 'RD1 %s ${text}\\n' "$rd_nonce"`;

  it.for([
    ["come to their end", ":"],
    ["fail", "false"],
    ["exit", "exit 0"],
    ["exit with an error", "exit 1"],
    ["are killed", "sh -c 'kill -9 $PPID'; :"],
  ])(
    "end once when the commands, in a subshell, %s, and the next one is carried out",
    async ([, last = ""], context) => {
      const found = await execa("which", [program], { reject: false });
      if (found.exitCode !== 0) return context.skip(`${program} is not installed here`);
      const [first, second] = await runAll([inSubshell(`${say("one")}\n${last}`), say("two")]);
      expect(first).toEqual({ answers: ["one"], ends: 1 });
      expect(second).toEqual({ answers: ["two"], ends: 1 });
    },
  );
});
