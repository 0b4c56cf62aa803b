import { spawn } from "node:child_process";
import { once } from "node:events";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { stopLeftovers } from "../../src/process/leftovers.ts";
import { startTimeOf } from "../../src/process/process-group.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { isAlive, livingGroup, waitUntil } from "../support/process-state.ts";

const run = `run-of-${process.pid}-${Date.now()}`;
const ours = { RSYNCDIRECTOR_RUN: run };

/** Starts a script in a group of its own, as the director starts children; it says `ready` when it is. */
async function start(script: string, env: Record<string, string> = {}): Promise<number> {
  const child = spawn("/bin/sh", ["-c", script], {
    detached: true,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pid = child.pid ?? 0;
  const exited = once(child, "exit");
  onTestFinished(async () => {
    for (const member of await livingGroup(pid)) process.kill(member, "SIGKILL");
    await exited;
  });
  await once(child.stdout, "data");
  return pid;
}

function startOf(pid: number): number {
  const start = startTimeOf(pid);
  if (typeof start !== "number") throw new Error(`process ${pid} is not there`);
  return start;
}

function stop(groups: readonly { id: number; start: number }[] = [], runId = run) {
  const log = createMemoryLog();
  const grace = { leaderMs: 300, groupMs: 300 };
  return stopLeftovers([{ runId, groups }], { clock: systemClock, log, grace });
}

describe("leftovers of a dead run", () => {
  it("are found by the run in their environment and stopped, leader first", async () => {
    const pid = await start("trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done", ours);
    expect(await stop()).toEqual([]);
    expect(await livingGroup(pid)).toEqual([]);
  });

  it("are killed when they do not listen, with everything in their group", async () => {
    const pid = await start("trap '' TERM; sleep 600 & echo ready; while :; do sleep 0.05; done", ours);
    expect(await stop()).toEqual([]);
    expect(await livingGroup(pid)).toEqual([]);
  });

  it("are found when their leader is gone and only its children go on", async () => {
    const pid = await start("sleep 600 & sleep 600 & echo ready; kill -KILL $$", ours);
    await waitUntil("the leader is gone", () => !isAlive(pid));
    expect((await livingGroup(pid)).length).toBe(2);
    expect(await stop()).toEqual([]);
    expect(await livingGroup(pid)).toEqual([]);
  });

  it("are found by group and start time when the run is not in their environment", async () => {
    const pid = await start("echo ready; exec sleep 600");
    expect(await stop([{ id: pid, start: startOf(pid) }])).toEqual([]);
    expect(isAlive(pid)).toBe(false);
  });

  it("are never strangers: another run, another start time, a name that only begins alike", async () => {
    const strangers = [
      await start("echo ready; exec sleep 600"),
      await start("echo ready; exec sleep 600", { RSYNCDIRECTOR_RUN: `${run}-other` }),
      await start("echo ready; exec sleep 600", { NOT_RSYNCDIRECTOR_RUN: run }),
    ];
    const wrongStart = strangers.map((id) => ({ id, start: startOf(id) + 1 }));
    expect(await stop(wrongStart)).toEqual([]);
    expect(strangers.map(isAlive)).toEqual([true, true, true]);
  });

  it("are not this process, whatever its environment says", async () => {
    const module = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;
    const script = `
      import { stopLeftovers } from "${module("process/leftovers.ts")}";
      import { systemClock } from "${module("base/clock.ts")}";
      import { silentLogger } from "${module("base/logger.ts")}";
      await stopLeftovers([{ runId: "${run}", groups: [] }], { clock: systemClock, log: silentLogger });
      process.exit(7);`;
    const args = ["--import", "tsx", "--input-type=module", "-e", script];
    const ended = await execa(process.execPath, args, { env: ours, detached: true, reject: false });
    expect(ended.exitCode, ended.stderr).toBe(7);
  });
});
