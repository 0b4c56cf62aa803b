import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { isOwnerAlive, runOwnerOf } from "../../src/store/run-owner.ts";
import { isAlive, processState, waitUntil } from "../support/process-state.ts";

it("takes an owner that was killed for dead, also while nobody asks how it ended", async () => {
  // The shell becomes cat, which knows nothing of the child that the shell had.
  const parent = spawn("/bin/sh", ["-c", "sleep 600 & echo $!; exec cat"], { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
  const pid = Number(line);
  onTestFinished(() => void (isAlive(pid) && process.kill(pid, "SIGKILL")));
  const owner = runOwnerOf(pid) ?? "";
  expect(isOwnerAlive(owner)).toBe(true);
  process.kill(pid, "SIGKILL");
  await waitUntil("a zombie", () => processState(pid) === "Z");
  expect(isOwnerAlive(owner)).toBe(false);
});
