import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startChild } from "../../src/process/start-child.ts";
import { isAlive, waitUntil } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** A directory with shell scripts by these names. */
async function directoryOf(scripts: Record<string, string>): Promise<string> {
  const directory = await makeTempDir();
  for (const [name, body] of Object.entries(scripts))
    await writeFile(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return directory;
}

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

  it("is started without setpriv where systemd ends it: not every sandbox lets that start", async () => {
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.stubEnv("PATH", `${await directoryOf({ setpriv: "exit 1" })}:${process.env["PATH"]}`);
    vi.stubEnv("SYSTEMD_EXEC_PID", String(process.pid));
    expect(await start("true").child.ended).toMatchObject({ exitCode: 0 });
    vi.stubEnv("SYSTEMD_EXEC_PID", undefined);
    expect(await start("true").child.ended).toMatchObject({ exitCode: 1 });
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
