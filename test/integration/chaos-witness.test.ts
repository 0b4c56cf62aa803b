import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkWriters } from "../chaos/check-writers.ts";
import { kill } from "../chaos/commands.ts";
import { MadeUpHistory } from "../chaos/made-up-history.ts";
import { readWriters } from "../chaos/history.ts";
import { watchWitnesses, writeWitness } from "../chaos/witness.ts";
import { randomFrom } from "../support/random.ts";
import { livingGroup, waitUntil } from "../support/process-state.ts";

const jobs = ["a", "b"];

/** Two jobs that write to one destination through the witness. */
async function openScene() {
  const root = await mkdtemp(join(tmpdir(), "rsyncdirector-witness-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const programs = new Map(jobs.map((job) => [job, join(writeWitness(root, job), "rsync")]));
  for (const name of ["source", "dest"]) mkdirSync(join(root, name));
  await writeFile(join(root, "source", "file"), Buffer.alloc(300_000, 1));
  const monitor = watchWitnesses(root);
  onTestFinished(() => monitor.close());
  /** With a hold lock, as a job's writer has it, or without. */
  const write = (job: string, { hold, limit = 100 }: { hold: boolean; limit?: number }) => {
    const take = hold ? `exec 9>>'${root}/p.hold'; flock 9; ` : "";
    const words = ["-a", "-I", "-W", `--bwlimit=${limit}`, `${root}/source/`, `${root}/dest/`];
    const child = spawn("/bin/sh", ["-c", `${take}exec "$@"`, "rd", programs.get(job) ?? "", ...words], {
      stdio: "ignore",
      detached: true,
    });
    onTestFinished(() => kill(child.pid, "SIGKILL"));
    return { pid: child.pid ?? 0, ended: once(child, "exit") };
  };
  return {
    monitor,
    write,
    writers: () => readWriters(root),
    judge: () => {
      const history = new MadeUpHistory(jobs.map((name) => ({ name, locks: ["/locks/p"] })));
      history.writers.push(...readWriters(root));
      return checkWriters(history).map(({ what }) => what.replaceAll(/\.[\d.]+/g, ""));
    },
  };
}

describe("the witness of writers", () => {
  it("sees a second writer beside the first", async () => {
    const { write, judge, writers } = await openScene();
    const first = write("a", { hold: true });
    await waitUntil("the first writes", () => writers().length === 1);
    const second = write("b", { hold: false });
    await waitUntil("the second writes", () => writers().length === 2);
    kill(first.pid, "SIGKILL");
    kill(second.pid, "SIGKILL");
    await Promise.all([first.ended, second.ended]);
    expect(judge()).toEqual(["b writes without a hold lock", "b began to write while a was still there"]);
  });

  it("takes nobody for a writer who has the hold lock after a writer that died in any way", async () => {
    const { write, judge, monitor, writers } = await openScene();
    const random = randomFrom(7);
    for (let round = 0; round < 40; round += 1) {
      const pair = jobs.map((job) => write(job, { hold: true, limit: 10_000 }));
      const victim = pair[round % 2]?.pid ?? 0;
      await wait(random() * 60);
      if (round % 3 !== 0) kill(victim, "SIGKILL");
      await Promise.all(pair.map(({ ended }) => ended));
    }
    await waitUntil("every writer has ended", () => monitor.living().length === 0);
    expect(writers().length).toBeGreaterThan(40);
    expect(judge()).toEqual([]);
  });

  it("knows the end of a writer only when its last process is gone", async () => {
    const { write, writers, monitor } = await openScene();
    const { pid, ended } = write("a", { hold: true });
    await waitUntil("it writes", () => monitor.living().length === 1);
    const stopped = await childrenOf(pid);
    for (const child of stopped) kill(child, "SIGSTOP");
    kill(pid, "SIGKILL");
    await ended;
    expect(monitor.living()).toHaveLength(1);
    for (const child of stopped) kill(child, "SIGKILL");
    await waitUntil("its end is noticed", () => monitor.living().length === 0);
    expect(writers()).toMatchObject([{ job: "a", holds: [expect.stringContaining("p.hold")] }]);
    expect(writers()[0]?.ended).toBeLessThan(Infinity);
  });
});

/** rsync's other processes, once there are some. */
async function childrenOf(pid: number): Promise<number[]> {
  let others: number[] = [];
  await waitUntil("rsync has forked", async () => {
    others = (await livingGroup(pid)).filter((member) => member !== pid);
    return others.length >= 2;
  });
  return others;
}
