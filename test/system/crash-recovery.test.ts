import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIntents } from "../../src/lock/recovery/intents-file.ts";
import { copyingJob, copyingKinds } from "../support/copying-job.ts";
import type { DirectorProcess } from "../support/director-process.ts";
import { locksIn } from "../support/lock-names.ts";
import { type ConfigDraft, type Instance, makeInstance, processesNaming, writersNaming } from "../support/instance.ts";
import { waitUntil } from "../support/process-state.ts";
import { programsWithout } from "../support/program-directory.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

const locksOf = (instance: Instance) => locksIn(instance.path("locks"));
const intentsOf = async (instance: Instance) =>
  parseIntents(await readFile(instance.path("state", "intents-test.json"), "utf8"));

async function killHard(director: DirectorProcess): Promise<void> {
  director.signal("SIGKILL");
  expect(await director.exited).toBe("SIGKILL");
}

describe("a daemon that is killed in the middle of a sync", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  const config = (kind: (typeof copyingKinds)[number], path: Instance["path"], job: ConfigDraft = {}): ConfigDraft =>
    copyingJob(kind, path, { backup, kilobytesPerSecond: 100, job });

  /** Runs until rsync writes at the destination. */
  async function startCopying(instance: Instance, env = process.env): Promise<DirectorProcess> {
    await writeFile(instance.path("source/big"), Buffer.alloc(30_000_000, 7));
    const director = await instance.start({ env });
    director.signal("SIGHUP");
    const receives = async () => (await readdir(instance.path("dest"))).some((name) => name.startsWith(".big."));
    await waitUntil("the transfer is under way", receives);
    return director;
  }

  /** The next run of the same job works, which needs its locks and nobody else at the destination. */
  async function expectNextRunWorks(instance: Instance, director: DirectorProcess): Promise<void> {
    await rm(instance.path("source/big"));
    await writeFile(instance.path("source/small"), "small");
    const since = director.lines.length;
    director.signal("SIGHUP");
    const finished = await director.waitForLine(is("run finished"), { since });
    expect(finished).toMatchObject({ outcome: "ok" });
    expect(await readFile(instance.path("dest/small"), "utf8")).toBe("small");
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await locksOf(instance)).toEqual([]);
    expect(await intentsOf(instance)).toEqual([]);
  }

  it.each(copyingKinds)("has its processes stopped and its locks freed by the next start: %s", async (kind) => {
    const instance = await makeInstance(({ path }) => config(kind, path));
    await killHard(await startCopying(instance));
    expect(await locksOf(instance)).toEqual(kind === "local" ? ["here"] : ["here", "there"]);
    expect(await intentsOf(instance)).toHaveLength(1);

    const next = await instance.start();
    const freed = () => next.lines.filter(is("lock of an earlier life is gone")).map((line) => line.outcome);
    await expect.poll(freed).toEqual(kind === "local" ? ["released"] : ["released", "released"]);
    expect(await writersNaming(instance.directory)).toEqual([]);
    expect(await locksOf(instance)).toEqual([]);
    // The other side of a pull only reads, and ends by itself when its connection is gone.
    await expect.poll(() => processesNaming(instance.directory)).toEqual([]);
    await expectNextRunWorks(instance, next);
  });

  it.each(copyingKinds)("also where nothing ends the children with it (no setpriv): %s", async (kind) => {
    const instance = await makeInstance(({ path }) => config(kind, path));
    const PATH = await programsWithout("setpriv");
    const director = await startCopying(instance, { ...process.env, PATH });
    await killHard(director);
    expect((await processesNaming(instance.directory)).length).toBeGreaterThan(0);
    const next = await instance.start();
    expect(next.lines.map((line) => line.msg)).toContain(
      "an earlier life of this director left processes: stopping them",
    );
    // The other side of a pull only reads, and ends by itself when its connection is gone.
    await expect.poll(() => processesNaming(instance.directory)).toEqual([]);
    await expectNextRunWorks(instance, next);
  });

  it("is recognised by its locks when its intents are damaged", async () => {
    const instance = await makeInstance(({ path }) => config("push", path));
    await killHard(await startCopying(instance));
    await writeFile(instance.path("state", "intents-test.json"), '{"v":1,"intents":[{"runId":"half');
    const next = await instance.start();
    expect(next.lines.map((line) => line.msg)).toContainEqual(expect.stringContaining("moved aside"));
    await expect.poll(() => locksOf(instance)).toEqual([]);
    expect(await writersNaming(instance.directory)).toEqual([]);
    await expectNextRunWorks(instance, next);
  });

  it("is cleaned up after by a run in the foreground as well", async () => {
    const instance = await makeInstance(({ path }) => config("push", path));
    await killHard(await startCopying(instance));
    await rm(instance.path("source/big"));
    const run = await instance.cli("run");
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(await locksOf(instance)).toEqual([]);
    expect(await intentsOf(instance)).toEqual([]);
    expect(await writersNaming(instance.directory)).toEqual([]);
  });

  it("has the children of a job without locks stopped too", async () => {
    const instance = await makeInstance(({ path }) => config("local", path, { lock_files: [], hold: "auto" }));
    const PATH = await programsWithout("setpriv");
    await killHard(await startCopying(instance, { ...process.env, PATH }));
    expect((await processesNaming(instance.directory)).length).toBeGreaterThan(0);
    const next = await instance.start();
    await expect.poll(() => processesNaming(instance.directory)).toEqual([]);
    next.signal("SIGTERM");
    expect(await next.exited).toBe(0);
  });
});
