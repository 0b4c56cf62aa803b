import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import type { LogOutput } from "../../src/config/resolved.ts";
import { createLogger } from "../../src/daemon/logging.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const program = join(import.meta.dirname, "../fixtures/logging/log-lines.ts");
const stdoutOutput: LogOutput = { type: "stdout", level: "info", format: "json" };
const toFile = (path: string): LogOutput => ({ type: "file", path, level: "info", format: "json" });

/** Runs the program that logs; `prepare` spoils its outputs. Resolves to its exit code and last word. */
async function logLines(
  outputs: readonly LogOutput[],
  options: { count: number; prepare?: (child: ChildProcess) => void; stderrToo?: boolean; stdoutTo?: string },
): Promise<{ exitCode: number | null; word: string; stderr: string }> {
  const args = [
    "--import",
    "tsx",
    program,
    JSON.stringify(outputs),
    String(options.count),
    options.stderrToo ? "1" : "",
  ];
  const stdout = options.stdoutTo === undefined ? "pipe" : openSync(options.stdoutTo, "a");
  const child = spawn(process.execPath, args, { stdio: ["ignore", stdout, "pipe", "pipe"] });
  if (typeof stdout === "number") closeSync(stdout);
  onTestFinished(() => void child.kill("SIGKILL"));
  let word = "";
  let stderr = "";
  (child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => (word += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  options.prepare?.(child);
  const [exitCode] = (await once(child, "exit")) as [number | null];
  return { exitCode, word, stderr };
}

test("a reader that closes the pipe does not end the program", async () => {
  const prepare = (child: ChildProcess) => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const { exitCode, word } = await logLines([stdoutOutput], { count: 500, prepare, stderrToo: true });
  expect([exitCode, word]).toEqual([0, expect.stringContaining("alive")]);
});

test("a reader that stops reading neither blocks the program nor fills its memory, nor keeps it from ending", async () => {
  const { exitCode, word } = await logLines([stdoutOutput], { count: 60_000 });
  expect(exitCode).toBe(0);
  const memory = Number(word.split(" ")[1]) / 1e6;
  console.log(`60 MB of log for a reader that does not read: ${memory.toFixed(0)} MB of memory`);
  expect(memory).toBeGreaterThan(10);
  expect(memory).toBeLessThan(250);
});

test("every line arrives when the program ends at once after close", async () => {
  let text = "";
  const prepare = (child: ChildProcess) =>
    child.stdout?.setEncoding("utf8").on("data", (data: string) => (text += data));
  const { exitCode } = await logLines([stdoutOutput], { count: 2000, prepare });
  expect(exitCode).toBe(0);
  expect(text.split("\n")).toHaveLength(2001);
});

test("standard output redirected to a full device does not end the program", async () => {
  const { exitCode, word } = await logLines([stdoutOutput], { count: 500, stdoutTo: "/dev/full" });
  expect([exitCode, word]).toEqual([0, expect.stringContaining("alive")]);
});

test("standard output redirected to a file gets every line", async () => {
  const path = join(await makeTempDir(), "out.log");
  await writeFile(path, "before\n");
  await logLines([stdoutOutput], { count: 100, stdoutTo: path });
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(102);
});

test("a log file on a full device does not end the program, which says so once", async () => {
  const { exitCode, word, stderr } = await logLines([toFile("/dev/full")], { count: 20_000 });
  expect([exitCode, word]).toEqual([0, expect.stringContaining("alive")]);
  expect(stderr.match(/cannot write the log \/dev\/full: ENOSPC/g)).toHaveLength(1);
});

test("when a full disk has space again the log goes on and says how many lines are missing", async ({ skip }) => {
  const disk = join(await makeTempDir(), "small");
  await mkdir(disk);
  const mounted = await execa("mount", ["-t", "tmpfs", "-o", "size=6m", "none", disk], { reject: false });
  if (mounted.exitCode !== 0) return skip("this process may not mount a tmpfs");
  onTestFinished(async () => void (await execa("umount", ["-l", disk])));
  await writeFile(join(disk, "filler"), Buffer.alloc(5.5 * 1024 * 1024, 1));

  const path = join(disk, "a.log");
  const log = createLogger([toFile(path)]);
  for (let number = 0; number < 8000; number += 1) log.info({ number, filler: "x".repeat(1000) }, "line");
  await rm(join(disk, "filler"));
  log.info({}, "after");
  log.info({}, "last");
  await log.close();
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  const parsed = lines.map((line) => JSON.parse(line) as { msg: string; number?: number; lost?: number });
  const lost = parsed.find(({ msg }) => msg === "log lines were lost")?.lost ?? 0;
  expect(lost).toBeGreaterThan(1000);
  expect(parsed.filter(({ msg }) => msg === "line").length + lost).toBe(8000);
  expect(parsed.at(-1)?.msg).toBe("last");
});
