import { Argument, Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { completeWords, type KnownWords } from "../../../src/cli/completion/complete-words.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { shells, shellScripts } from "../../../src/cli/completion/shell-scripts.ts";
import { TextSink } from "../../support/text-sink.ts";

const option = (flags: string) => new Option(flags, `about ${flags}`);
const program = new Command("p").addCommand(
  new Command("run")
    .argument("[job...]")
    .addOption(option("-c, --config <file>"))
    .addOption(option("--level <level>").choices(["low", "high"]))
    .addOption(option("-n, --dry-run")),
);
program.addCommand(new Command("history").argument("[run]").addOption(option("--job <id>")));
program.addCommand(new Command("completion").addArgument(new Argument("<shell>").choices(["bash", "zsh"])));
program.addCommand(new Command("config").addCommand(new Command("check").argument("<file...>")));
program.addCommand(new Command("secret"), { hidden: true });

const asked: (string | undefined)[] = [];
const known: KnownWords = {
  jobs: (config) => {
    asked.push(config);
    return Promise.resolve([
      { word: "home", about: "copy" },
      { word: "mail", about: "copy" },
    ]);
  },
  runs: () => Promise.resolve([{ word: "20261129-1", about: "ok" }]),
};
async function complete(...words: string[]): Promise<readonly string[] | "files"> {
  const completion = await completeWords(program, words, known);
  return completion.kind === "files" ? "files" : completion.candidates.map(({ word }) => word);
}

describe("completing a command line", () => {
  it.each<[string[], readonly string[] | "files"]>([
    [[""], ["run", "history", "completion", "config", "help"]],
    [["c"], ["completion", "config"]],
    [["s"], []],
    [
      ["run", ""],
      ["home", "mail"],
    ],
    [["run", "home", "m"], ["mail"]],
    [
      ["run", "--"],
      ["--config", "--level", "--dry-run", "--help"],
    ],
    [
      ["run", "-"],
      ["--config", "-c", "--level", "--dry-run", "-n", "--help", "-h"],
    ],
    [
      ["run", "--level", ""],
      ["low", "high"],
    ],
    [["run", "-c", ""], "files"],
    [["run", "-n", "h"], ["home"]],
    [["run", "--config=x", "h"], ["home"]],
    [
      ["history", ""],
      ["last", "20261129-1"],
    ],
    [["history", "--job", "h"], ["home"]],
    [["history", "last", ""], []],
    [
      ["completion", ""],
      ["bash", "zsh"],
    ],
    [
      ["config", ""],
      ["check", "help"],
    ],
    [["config", "check", ""], "files"],
    [["config", "check", "a.yaml", ""], "files"],
    [["nonsense", ""], []],
  ])("%j: %j", async (words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  it("asks for the jobs of the configuration that the line names", async () => {
    asked.length = 0;
    await complete("run", "-c", "a.yaml", "");
    await complete("run", "--config=b.yaml", "");
    await complete("run", "");
    expect(asked).toEqual(["a.yaml", "b.yaml", undefined]);
  });
});

it("is asked by the script of every shell, with the words up to the cursor", async () => {
  for (const shell of shells) {
    const output = new TextSink();
    expect(await runProgram(["completion", shell], { env: {}, stdout: output, stderr: output })).toBe(0);
    expect(output.text).toBe(shellScripts[shell]);
    expect(output.text).toContain("__complete -- ");
  }
});

it("says nothing where the configuration cannot be read, and knows every real command", async () => {
  const output = new TextSink();
  const env = { RSYNCDIRECTOR_CONFIG: "/does/not/exist.yaml" };
  expect(await runProgram(["__complete", "--", "run", ""], { env, stdout: output, stderr: output })).toBe(0);
  expect(output.text).toBe("");
  await runProgram(["__complete", "--", ""], { env, stdout: output, stderr: output });
  expect(output.lines.map((line) => line.split("\t")[0])).toEqual(expect.arrayContaining(["status", "pause", "logs"]));
  expect(output.text).not.toContain("__complete");
});
