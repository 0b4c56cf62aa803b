import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createHookRunner, type HookRequest } from "../../src/action/hook-command.ts";
import { AbortReason } from "../../src/base/abort.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { ActionOutcome } from "../../src/model/run.ts";
import { livingGroup } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

/** Runs one script as a hook, as a job would. */
async function runHook(
  script: string,
  { hurry, ...more }: Partial<HookRequest> & { hurry?: AbortSignal } = {},
): Promise<{ outcome: ActionOutcome; shown: readonly string[]; pids: number[] }> {
  const pids: number[] = [];
  let shown: readonly string[] = [];
  const remoteShell = () => Promise.resolve({ shell: ["ssh"] });
  const run = createHookRunner({ env: process.env, clock: systemClock, remoteShell, hurry });
  const outcome = await run({
    ...{ runId: "run", jobId: "home", hookId: "hook:start", argv: ["/bin/sh", "-c", script], timeoutMs: 60_000 },
    ...{ variables: { RSYNCDIRECTOR_HOOK: "start" }, signal: new AbortController().signal, dryRun: false },
    ...{ log: silentLogger, onSpawned: (pid) => void pids.push(pid), onOutput: () => undefined },
    onStarted: (argv) => (shown = argv),
    ...more,
  });
  return { outcome, shown, pids };
}

describe("a program of a hook", () => {
  it("knows its job, and its output is kept", async () => {
    const { outcome, pids } = await runHook('echo "$RSYNCDIRECTOR_JOB $RSYNCDIRECTOR_RUN $RSYNCDIRECTOR_HOOK"');
    expect(outcome).toMatchObject({ kind: "ok", report: { output: "home run start\n", exitCode: 0 } });
    expect(pids).toHaveLength(1);
  });

  it.each([
    ["exit 3", { message: "/bin/sh ended with 3", retryable: false, cause: "exit" }],
    ["exit 75", { message: "/bin/sh ended with 75", retryable: true, cause: "exit" }],
  ])("fails with %s", async (script, expected) => {
    expect((await runHook(script)).outcome).toMatchObject({ kind: "failed", ...expected });
  });

  it("is ended at its time limit with all of its group, which is its own failure", async () => {
    const { outcome, pids } = await runHook("sleep 600 & sleep 600", { timeoutMs: 200 });
    expect(outcome).toMatchObject({
      kind: "failed",
      retryable: false,
      message: "/bin/sh: it did not end within 200ms",
    });
    expect(pids).toHaveLength(1);
    expect(await livingGroup(pids[0] ?? 0)).toEqual([]);
  });

  it("is ended when its job is stopped, and when the director has to stop at once", async () => {
    const stop = new AbortController();
    const stopped = runHook("echo ready; exec sleep 600", {
      signal: stop.signal,
      onOutput: () => stop.abort(new AbortReason("cancelled", "cancelled by ann")),
    });
    expect((await stopped).outcome).toMatchObject({ kind: "cancelled", message: "cancelled by ann" });
    const hurry = new AbortController();
    const hurried = runHook("trap '' TERM; echo ready; while :; do sleep 1; done", {
      hurry: hurry.signal,
      onOutput: () => hurry.abort(),
    });
    expect((await hurried).outcome).toMatchObject({ kind: "failed" });
  });

  it("may leave a program that makes a session of its own, as file systems in user space do", async () => {
    const file = join(await makeTempDir(), "pid");
    const { outcome } = await runHook(`setsid sh -c 'echo $$ > ${file}; exec sleep 600' </dev/null >/dev/null 2>&1 &
      until test -s ${file}; do sleep 0.1; done`);
    const pid = Number(await readFile(file, "utf8"));
    expect(outcome).toMatchObject({ kind: "ok" });
    expect(process.kill(pid, 0)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  it("is named and not run in a dry run, without its secrets", async () => {
    const argv = ["/nowhere/mount", "--password", "geheim"];
    const { outcome, shown, pids } = await runHook("", { argv, dryRun: true });
    expect(outcome).toMatchObject({ kind: "ok" });
    expect(shown).toEqual(["/nowhere/mount", "--password", "[redacted]"]);
    expect(pids).toEqual([]);
  });
});
