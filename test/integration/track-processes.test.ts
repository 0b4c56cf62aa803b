import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { livingMembers, startTimeOf, trackProcesses } from "../../src/process/process-group.ts";
import { makeTempDir } from "../support/temp-dir.ts";

it("tells which of the processes it remembers still run, and takes a zombie for gone", async () => {
  const sleeper = spawn("sleep", ["1000"]);
  // The shell does not reap its child, which stays a zombie until the shell itself ends.
  const keeper = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 1000"]);
  const [zombie] = (await once(keeper.stdout, "data")) as [Buffer];
  const pids = [sleeper.pid ?? 0, Number(zombie.toString())];
  await expect.poll(() => trackProcesses(pids)()).toEqual([sleeper.pid]);
  const living = trackProcesses(pids);
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  expect(living()).toEqual([]);
  keeper.kill("SIGKILL");
  await once(keeper, "exit");
});

it.each([0, -1, 0.5, 2 ** 40, Number.NaN])("knows that nobody has the number %s", (pid) => {
  expect(startTimeOf(pid)).toBeUndefined();
});

it("takes a process that is there and cannot be seen for one that goes on, as with hidepid", async () => {
  const nothing = await makeTempDir();
  const sleeper = spawn("sleep", ["1000"], { detached: true });
  const pid = sleeper.pid ?? 0;
  const living = [trackProcesses([pid], nothing), trackProcesses([pid])];
  expect(startTimeOf(pid, nothing)).toBe("hidden");
  expect(livingMembers(pid, nothing)).toEqual([pid]);
  expect(living.map((ask) => ask())).toEqual([[pid], [pid]]);
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  expect(startTimeOf(pid, nothing)).toBeUndefined();
  expect(livingMembers(pid, nothing)).toEqual([]);
  expect(living.map((ask) => ask())).toEqual([[], []]);
});
