import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AbortReason } from "../../src/base/abort.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { ProcessOptions, ProcessSpec } from "../../src/process/process-contract.ts";
import { runProcess } from "../../src/process/run-process.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { holdTimers } from "../support/held-timers.ts";
import { isAlive, livingGroup, processState, waitUntil } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const env = { PATH: process.env["PATH"] ?? "" };
const shortGrace = { leaderMs: 150, groupMs: 150 };
const fixtures = join(import.meta.dirname, "..", "fixtures", "bin");

/** Runs a script with a hand on its signal; `lines` fills as the script writes. */
function start(script: string, options: Partial<ProcessOptions> = {}, spec: Partial<ProcessSpec> = {}) {
  const controller = new AbortController();
  const lines: string[] = [];
  let pid = 0;
  let sawLine = () => {};
  const firstLine = new Promise<void>((resolve) => (sawLine = resolve));
  const result = runProcess(
    { file: "/bin/sh", args: ["-c", script], env, ...spec },
    {
      signal: controller.signal,
      clock: systemClock,
      log: silentLogger,
      grace: shortGrace,
      onSpawn: (spawned) => (pid = spawned),
      onLine: (stream, line) => {
        lines.push(`${stream}: ${line}`);
        sawLine();
      },
      ...options,
    },
  );
  const stop = () => controller.abort(new AbortReason("shutdown", "shutting down"));
  return { result, lines, firstLine, stop, groupId: () => pid };
}

describe("a child process", () => {
  it("reports its exit code and every line of both streams", async () => {
    const { result, lines } = start("echo out; echo err >&2; printf last; exit 3");
    await expect(result).resolves.toMatchObject({ kind: "exited", code: 3, stoppedBy: null, leftBehind: false });
    expect(lines.toSorted()).toEqual(["stderr: err", "stdout: last", "stdout: out"]);
  });

  it("sees the environment it was given and nothing else, and an empty standard input", async () => {
    const { result, lines } = start("env; cat", {}, { env: { ...env, ONLY: "this" } });
    await result;
    const names = lines.map((line) => line.replace(/^stdout: (\w+)=.*/, "$1"));
    expect(names.filter((name) => !["PATH", "ONLY", "PWD", "_", "SHLVL", "OLDPWD"].includes(name))).toEqual([]);
    expect(lines).toContain("stdout: ONLY=this");
  });

  it("reads the text it is given", async () => {
    const { result, lines } = start("cat", {}, { stdin: { text: "one\ntwo\n" } });
    await result;
    expect(lines).toEqual(["stdout: one", "stdout: two"]);
  });

  it.each(["exec <&-; exit 3", "exit 3", "head -c 10 >/dev/null; exit 3"])(
    "that does not read all of its text (%s) ends as it would",
    async (script) => {
      const { result } = start(script, {}, { stdin: { text: Buffer.alloc(10_000_000, "x") } });
      await expect(result).resolves.toMatchObject({ kind: "exited", code: 3, stoppedBy: null, leftBehind: false });
    },
  );

  it("that never reads its text can be stopped", async () => {
    const { result, firstLine, stop } = start(
      "echo up; sleep 60",
      {},
      { stdin: { text: Buffer.alloc(10_000_000, "x") } },
    );
    await firstLine;
    stop();
    await expect(result).resolves.toMatchObject({ kind: "signalled", stoppedBy: { kind: "shutdown" }, survivors: [] });
  });

  it.each([false, true])("that does not exist is not started (bound to its parent: %s)", async (dieWithParent) => {
    const { result } = start("", { dieWithParent }, { file: "no-such-program" });
    await expect(result).resolves.toMatchObject({ kind: "not-started", error: { code: "ENOENT" }, stoppedBy: null });
  });

  it("is not started in a directory that does not exist", async () => {
    await expect(start("true", {}, { cwd: "/no/such" }).result).resolves.toMatchObject({ kind: "not-started" });
  });

  it("is not started once its signal is aborted", async () => {
    const signal = AbortSignal.abort(new AbortReason("cancelled", "no"));
    const { result, groupId } = start("true", { signal });
    await expect(result).resolves.toMatchObject({ kind: "not-started", stoppedBy: { kind: "cancelled" } });
    expect(groupId()).toBe(0);
  });

  it("that is killed by somebody else was not stopped by us", async () => {
    const { result } = start("kill -KILL $$");
    await expect(result).resolves.toMatchObject({ kind: "signalled", signal: "SIGKILL", stoppedBy: null });
  });
});

describe("stopping a child process", () => {
  it("lets it tidy up and keeps the reason and its last words", async () => {
    const { result, lines, firstLine, stop } = start(
      "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
    );
    await firstLine;
    stop();
    await expect(result).resolves.toMatchObject({
      kind: "exited",
      code: 7,
      stoppedBy: { kind: "shutdown" },
      survivors: [],
    });
    expect(lines).toContain("stdout: bye");
  });

  it("kills a stopped process after the graces", async () => {
    const { result, firstLine, stop, groupId } = start("echo ready; kill -STOP $$; sleep 1000");
    await firstLine;
    await waitUntil("it is stopped", () => processState(groupId()) === "T");
    stop();
    await expect(result).resolves.toMatchObject({ kind: "signalled", signal: "SIGKILL", survivors: [] });
    expect(await livingGroup(groupId())).toEqual([]);
  });

  it("kills a whole group that ignores every request", async () => {
    const script = "trap '' TERM; (while :; do sleep 1; done) & echo ready; while :; do sleep 1; done";
    const { result, firstLine, stop, groupId } = start(script);
    await firstLine;
    stop();
    await expect(result).resolves.toMatchObject({ signal: "SIGKILL", stoppedBy: { kind: "shutdown" }, survivors: [] });
    expect(await livingGroup(groupId())).toEqual([]);
  });

  it("kills at once when somebody is in a hurry", async () => {
    const hurry = new AbortController();
    const grace = { leaderMs: 600_000, groupMs: 600_000 };
    const { result, firstLine, stop } = start("trap '' TERM; echo ready; sleep 1000", { grace, hurry: hurry.signal });
    await firstLine;
    stop();
    hurry.abort();
    await expect(result).resolves.toMatchObject({ signal: "SIGKILL", survivors: [] });
  });

  it("happens when it neither writes nor moves bytes, and the reason says so", async () => {
    const { result, groupId } = start("echo ready; sleep 1000", { stallTimeoutMs: 200 });
    await expect(result).resolves.toMatchObject({ stoppedBy: { kind: "stalled" }, survivors: [] });
    expect(await livingGroup(groupId())).toEqual([]);
  });

  it("does not happen while bytes move without output", async () => {
    const directory = await makeTempDir();
    const { clock, endNext } = holdTimers(300);
    const moved = join(directory, "moved");
    // One for each step: whoever opens one again finds the end of the last writer.
    const told = (step: number | string) => join(directory, `told${step}`);
    execFileSync("mkfifo", [1, 2, 3].map(told));
    const step = `head -c 200000 /dev/zero >/dev/null; echo $i >${moved}; read -r _ <${told("$i")}`;
    const { result } = start(`for i in 1 2 3; do ${step}; done`, { clock, stallTimeoutMs: 300 });
    for (const number of [1, 2, 3]) {
      await waitUntil(
        "bytes have moved",
        async () => (await readFile(moved, "utf8").catch(() => "")) === `${number}\n`,
      );
      await endNext();
      await writeFile(told(number), "\n");
    }
    await expect(result).resolves.toMatchObject({ code: 0, stoppedBy: null });
  });

  it("comes before a listener's bug is reported", async () => {
    const onLine = () => {
      throw new Error("a bug");
    };
    const { result, groupId } = start("echo ready; sleep 1000", { onLine });
    await expect(result).rejects.toThrow("a bug");
    expect(await livingGroup(groupId())).toEqual([]);
  });
});

describe("what a child leaves behind", () => {
  it("is ended when it holds the output open", async () => {
    const { result, groupId } = start("sleep 1000 & echo done", { drainMs: 200 });
    const expected = {
      kind: "exited",
      code: 0,
      stoppedBy: null,
      leftBehind: true,
      outputHeldOpen: true,
      escaped: false,
      survivors: [],
    };
    await expect(result).resolves.toMatchObject(expected);
    expect(await livingGroup(groupId())).toEqual([]);
  });

  it("is ended when it only stays in the group", async () => {
    const { result, groupId } = start("sleep 1000 >/dev/null 2>&1 & exit 0", { drainMs: 200 });
    await expect(result).resolves.toMatchObject({ code: 0, leftBehind: true, outputHeldOpen: false });
    expect(await livingGroup(groupId())).toEqual([]);
  });

  it("is waited for while it is about to end", async () => {
    const { result, lines } = start("(sleep 0.3; echo late) & exit 0");
    await expect(result).resolves.toMatchObject({ code: 0, leftBehind: false });
    expect(lines).toEqual(["stdout: late"]);
  });

  it("holds nobody up when it has left the group", async () => {
    const isApart = `[ "$(ps -o pgid= -p $!)" -eq $! ]`;
    const script = `setsid sleep 1000 & until ${isApart}; do sleep 0.05; done; echo $!`;
    const { result, lines } = start(script, { drainMs: 200 });
    await expect(result).resolves.toMatchObject({ code: 0, outputHeldOpen: true, escaped: true });
    const escaped = Number(lines[0]?.replace("stdout: ", ""));
    expect(isAlive(escaped)).toBe(true);
    process.kill(escaped, "SIGKILL");
  });
});

it("dies with its parent, even when that is killed", async () => {
  const parent = execa("node", ["--import", "tsx", join(fixtures, "start-sleeper.ts")], { reject: false });
  onTestFinished(() => void parent.kill("SIGKILL"));
  let printed = "";
  parent.stdout.on("data", (chunk) => (printed += String(chunk)));
  await waitUntil("the child's id is printed", () => printed.endsWith("\n"));
  const child = Number(printed);
  // Until setpriv has become the program, the kernel has not been asked yet.
  await waitUntil("the child is the program itself", () => nameOf(child) === "sleep");
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(child)).toBe(false);
});

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
}

describe("a helper program", () => {
  it("is given its input, and answers with its output and code", async () => {
    const answer = await runTool(["sh", "-c", "cat; echo no >&2; exit 4"], { timeoutMs: 10_000, input: "héllo" });
    expect(answer).toEqual({ exitCode: 4, stdout: "héllo", stderr: "no\n" });
  });

  it("has no exit code when it takes too long or does not exist", async () => {
    await expect(runTool(["sleep", "1000"], { timeoutMs: 100 })).resolves.toMatchObject({ exitCode: null });
    await expect(runTool(["no-such-program"], { timeoutMs: 100 })).resolves.toMatchObject({ exitCode: null });
  });

  it("sees the variables its caller names", async () => {
    const answer = await runTool(["sh", "-c", "echo $NAMED"], { timeoutMs: 10_000, env: { NAMED: "x" } });
    expect(answer.stdout).toBe("x\n");
  });
});
