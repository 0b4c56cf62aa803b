import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CommandAction } from "../../src/config/resolved.ts";
import { isAlive } from "../support/process-state.ts";
import { startAction } from "../support/run-action.ts";
import { makeTempDir } from "../support/temp-dir.ts";

function command(argv: string[], overrides: Partial<CommandAction> = {}): CommandAction {
  return { kind: "command", id: "dump", argv, shell: false, cwd: undefined, ...overrides };
}

const script = (text: string, overrides: Partial<CommandAction> = {}) => command([text], { shell: true, ...overrides });

describe("a command", () => {
  it("gets its words as they are, without a shell", async () => {
    const words = ["$(id)", "`id`", "a b", "*", "", "-x", "new\nline", "'\""];
    const { outcome } = startAction(command(["printf", "[%s]", ...words]));
    await expect(outcome).resolves.toMatchObject({
      kind: "ok",
      report: { output: `${words.map((word) => `[${word}]`).join("")}\n`, exitCode: 0, stats: null },
    });
  });

  it("is a script for the shell when the operator says so", async () => {
    const { outcome, argv, lines } = startAction(
      script("echo $((1 + 2)) | tr 3 x; echo $RSYNCDIRECTOR_RUN $RSYNCDIRECTOR_JOB $RSYNCDIRECTOR_ACTION"),
    );
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect(argv.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
    expect(lines).toEqual(["stdout: x", "stdout: run-1 job dump"]);
  });

  it("runs where the operator says", async () => {
    const cwd = await makeTempDir();
    const { outcome, lines } = startAction(command(["pwd"], { cwd }));
    await outcome;
    expect(lines).toEqual([`stdout: ${cwd}`]);
  });

  it.each([
    ["exit 3", undefined, { kind: "failed", cause: "exit", retryable: false, report: { exitCode: 3 } }],
    ["exit 75", undefined, { kind: "failed", cause: "exit", retryable: true }],
    ["exit 24", undefined, { kind: "failed", cause: "exit" }],
    ["exit 3", "warning", { kind: "warning" }],
    ["kill -KILL $$", undefined, { kind: "failed", cause: "process", report: { signal: "SIGKILL" } }],
  ] as const)("that does `%s`, treated as %s, is judged by its end", async (text, treatAs, expected) => {
    const job = { exitCodes: new Map(treatAs === undefined ? [] : [[3, treatAs]]) };
    await expect(startAction(script(text), { job }).outcome).resolves.toMatchObject(expected);
  });

  it("that does not exist is a failed process", async () => {
    const { outcome } = startAction(command(["/no/such/program"]));
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "process",
      retryable: false,
      report: { exitCode: null },
    });
  });

  it("is named but not run in a dry run", async () => {
    const { outcome, argv, lines } = startAction(script("echo ran"), { dryRun: true });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { exitCode: null, output: "" } });
    expect(argv).toEqual(["/bin/sh", "-c", "echo ran"]);
    expect(lines).toEqual([]);
  });

  it("does not show the secrets in its words", async () => {
    const { outcome, argv } = startAction(
      command(["true", "--password=hunter2", "--token", "abc", "rsync://me:pw@h/m"]),
    );
    expect(argv).toHaveLength(5);
    expect(JSON.stringify([argv, await outcome])).not.toMatch(/hunter2|abc|pw@/);
  });
});

describe("what a command puts into a session of its own", () => {
  const writer = (redirect: string) =>
    script(`setsid sh -c 'echo $$ > pids; while :; do sleep 0.1; done' ${redirect} & until [ -s pids ]; do :; done`);
  const deps = { stopGrace: { leaderMs: 100, groupMs: 100 } };

  it.each([
    ["with the output open", "", "that held its output open"],
    ["with the output closed", "</dev/null >/dev/null 2>&1", "running"],
  ])("is ended with it, %s, and that is a warning", async (_case, redirect, how) => {
    const cwd = await makeTempDir();
    const { outcome } = startAction({ ...writer(redirect), cwd }, { deps });
    await expect(outcome).resolves.toMatchObject({
      kind: "warning",
      message: `/bin/sh left processes ${how}; they were stopped`,
    });
    expect(isAlive(Number(await readFile(join(cwd, "pids"), "utf8")))).toBe(false);
  });

  it("is killed when the job is stopped, also when it does not listen", async () => {
    const cwd = await makeTempDir();
    const text = `setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done' & sleep 1000`;
    const { outcome, lines, stop } = startAction(script(text, { cwd }), { deps });
    await expect.poll(() => lines.length).toBe(1);
    stop("timed-out");
    await expect(outcome).resolves.toMatchObject({ kind: "cancelled", reason: "timed-out" });
    expect(isAlive(Number(lines[0]?.replace("stdout: ", "")))).toBe(false);
  });

  it("is nobody's without the marks, and is not said to be stopped", async () => {
    const { outcome, lines } = startAction(script("env -i setsid /bin/sleep 1000 & echo $!"), { deps });
    await expect(outcome).resolves.toMatchObject({
      kind: "warning",
      message: expect.stringContaining("they cannot be found and may still write"),
    });
    const escaped = Number(lines[0]?.replace("stdout: ", ""));
    expect(isAlive(escaped)).toBe(true);
    process.kill(escaped, "SIGKILL");
  });
});

describe("a command that is stopped", () => {
  it("is cancelled with the reason, and its children are gone", async () => {
    const { outcome, lines, stop } = startAction(script("sleep 1000 & echo $!; wait"), {
      deps: { stopGrace: { leaderMs: 100, groupMs: 100 } },
    });
    await expect.poll(() => lines.length).toBe(1);
    stop("lock-lost");
    await expect(outcome).resolves.toMatchObject({
      kind: "cancelled",
      reason: "lock-lost",
      report: { exitCode: null },
    });
    expect(isAlive(Number(lines[0]?.replace("stdout: ", "")))).toBe(false);
  });

  it("was too quiet for too long, which is its own failure", async () => {
    const { outcome } = startAction(command(["sleep", "1000"]), { job: { stallTimeoutMs: 200 } });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "process",
      message: expect.stringContaining("no output and no bytes for 200ms"),
    });
  });
});
