import { writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import type { DirectorEvents } from "../../src/model/events.ts";
import { copyJob, runDaemonHere } from "../support/running-daemon.ts";

const say = (id: string) => ({ id, type: "local", actions: [{ action: "command", id: "say", command: "/bin/true" }] });

it("knows every run it has accepted at every moment, as one that is open or as one of the history", async () => {
  const { instance, daemon, control, next, stop } = await runDaemonHere((path) => ({
    jobs: [
      copyJob(path, { id: "slow" }, 10),
      say("quick"),
      { ...say("patient"), blocks_on: [{ type: "local", path: path("locks/other"), wait_time: "1s" }] },
    ],
  }));
  await writeFile(instance.path("source/large"), Buffer.alloc(5_000_000));
  await writeFile(instance.path("locks/other"), "somebody\n");
  const seen = new Map<string, Set<keyof DirectorEvents>>();
  const unknown: string[] = [];
  // Whoever asks cannot do so between two listeners: what is true after each event is true always.
  daemon.events.onAny((name, payload) => {
    if ("runId" in payload) seen.set(payload.runId, (seen.get(payload.runId) ?? new Set()).add(name));
    for (const runId of seen.keys()) {
      const isOpen = control.status().runs.some((run) => run.runId === runId);
      const record = control.queryHistory((history) => history.readRun(runId));
      if (!isOpen && record === undefined) unknown.push(`${runId} after ${name}`);
      if (!isOpen && record?.finishedAt === null) unknown.push(`the end of ${runId} after ${name}`);
    }
  });
  const run = (...jobs: string[]) => {
    const answer = control.run(jobs, "test");
    if (answer.kind !== "done") throw new Error(answer.message);
    return answer.value.runId;
  };

  const ended = next("run:finished");
  run("quick");
  await ended;
  const copying = next("action:started");
  const [first, second] = [run("slow"), run("slow", "quick")];
  await copying;
  expect(run("slow", "quick")).toBe(second);
  await control.cancel(second, "test");
  await control.cancel(first, "test");
  const blocked = next("job:blocked");
  run("patient");
  await blocked;
  await stop();
  expect(seen.size).toBe(4);
  for (const names of seen.values()) expect(names).toContain("run:finished");
  expect(unknown).toEqual([]);
});
