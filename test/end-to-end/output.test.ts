import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { builtProgram } from "../support/director-process.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** What fits into a pipe that nobody reads. */
const pipeBytes = 65_536;

it("is whole, also for a reader that begins when the pipe is full", async () => {
  const directory = await makeTempDir();
  const begin = join(directory, "begin");
  execFileSync("mkfifo", [begin]);
  const schema = await readFile(join(import.meta.dirname, "../../resources/config.schema.json"), "utf8");
  expect(schema.length).toBeGreaterThan(2 * pipeBytes);
  const reading = execa(
    "sh",
    ["-c", `"$0" "$1" config schema | { read -r _ < "$2"; cat; }`, process.execPath, builtProgram, begin],
    {
      stripFinalNewline: false,
    },
  );
  const writer = () => processesMentioning(builtProgram).find(({ argv }) => argv[3] === "schema");
  const written = async () => {
    const pid = writer()?.pid;
    const io = pid === undefined ? "" : await readFile(`/proc/${pid}/io`, "utf8").catch(() => "");
    return Number(/^wchar: (\d+)$/m.exec(io)?.[1] ?? 0);
  };
  await waitUntil("the pipe is full", async () => (await written()) >= pipeBytes);
  await writeFile(begin, "now\n");
  const { stdout } = await reading;
  expect(stdout).toBe(schema);
});

it("ends with a reader that goes away", async () => {
  const { exitCode, stdout } = await execa("sh", [
    "-c",
    `"$0" "$1" config schema | head -c 10`,
    process.execPath,
    builtProgram,
  ]);
  expect([exitCode, stdout.length]).toEqual([0, 10]);
});
