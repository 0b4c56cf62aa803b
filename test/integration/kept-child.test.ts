import { describe, expect, it, onTestFinished } from "vitest";
import { startChild } from "../../src/process/start-child.ts";
import { isAlive, waitUntil } from "../support/process-state.ts";

function start(...command: [string, ...string[]]) {
  let output = "";
  let errorOutput = "";
  const child = startChild(command, {
    onOutput: (text) => (output += text),
    onErrorOutput: (text) => (errorOutput += text),
  });
  onTestFinished(() => child.stop());
  return { child, output: () => output, errorOutput: () => errorOutput };
}

describe("a program that is kept running", () => {
  it("is fed and heard as long as it runs, characters whole", async () => {
    const { child, output } = start("cat");
    child.write("one\n");
    await waitUntil("the first answer", () => output() === "one\n");
    child.write("zwölf 😀\n");
    await waitUntil("the second answer", () => output() === "one\nzwölf 😀\n");
    child.stop();
    expect(await child.ended).toMatchObject({ exitCode: null });
    child.write("to nobody\n");
  });

  it("says how it ended", async () => {
    const failing = start("sh", "-c", "echo oops >&2; exit 3");
    expect(await failing.child.ended).toEqual({ exitCode: 3, message: "sh ended with exit code 3" });
    expect(failing.errorOutput()).toBe("oops\n");
    expect(await start("/no/such/program").child.ended).toMatchObject({
      exitCode: null,
      message: expect.stringContaining("ENOENT"),
    });
  });

  it("takes everything it has started with it", async () => {
    const { child, output } = start("sh", "-c", "sleep 1000 & echo $!; wait");
    await waitUntil("the process id", () => output().endsWith("\n"));
    const sleeper = Number(output());
    expect(isAlive(sleeper)).toBe(true);
    child.stop();
    await child.ended;
    expect(isAlive(sleeper)).toBe(false);
  });
});
