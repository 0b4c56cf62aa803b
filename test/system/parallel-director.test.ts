import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseIntents } from "../../src/lock/recovery/intents-file.ts";
import { compareTrees } from "../support/compare-trees.ts";
import type { DirectorProcess } from "../support/director-process.ts";
import {
  type ConfigDraft,
  type Instance,
  makeInstance,
  processesNaming,
  writersNaming,
  reach,
  trust,
} from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import { partsRunning } from "../support/part-processes.ts";
import { waitUntil } from "../support/process-state.ts";
import { programsWithout } from "../support/program-directory.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

describe("a director and the parts of a sync", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  /** A push of 600 files, of which those there that are surplus go. */
  async function makePusher(
    job: (path: Instance["path"]) => ConfigDraft,
    sync: (path: Instance["path"]) => ConfigDraft = () => ({}),
  ): Promise<Instance> {
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "push",
          ...{ type: "remote", ...reach(backup), direction: "push" },
          lock_files: [
            { type: "local", path: path("locks/here") },
            { type: "remote", path: path("locks/there") },
          ],
          ...{ hold_dir: path("locks"), hold: "required" },
          actions: [
            {
              ...{ action: "sync", id: "copy", source: path("source/"), dest: path("dest/tree"), parallel: 4 },
              ...{ rsync: { archive: true, delete: true }, ...sync(path) },
            },
          ],
          ...job(path),
        },
      ],
    }));
    for (let number = 0; number < 600; number += 1) {
      const below = instance.path("source", `directory-${number % 9}`);
      await mkdir(below, { recursive: true });
      await writeFile(join(below, `file-${number}`), `${number}`.padEnd(2000, "."));
    }
    return instance;
  }
  const slowly = () => ({ rsync: { archive: true, delete: true, bwlimit: 100 } });
  const filesIn = async (directory: string) =>
    (await readdir(directory, { recursive: true }).catch(() => [])).filter((name) => /file-\d+$/.test(name)).length;

  /** Runs until all four write at the destination. */
  async function startCopying(instance: Instance, env = process.env): Promise<DirectorProcess> {
    const director = await instance.start({ env });
    director.signal("SIGHUP");
    await waitUntil("four parts copy", async () => {
      return partsRunning(instance.path("dest/tree")) >= 4 && (await filesIn(instance.path("dest/tree"))) > 4;
    });
    return director;
  }

  async function killHard(director: DirectorProcess): Promise<void> {
    director.signal("SIGKILL");
    expect(await director.exited).toBe("SIGKILL");
  }

  /** The next run leaves what one that nobody disturbed would have left, and its locks free. */
  async function expectNextRunIsWhole(instance: Instance, director: DirectorProcess): Promise<void> {
    await mkdir(instance.path("dest/tree"), { recursive: true });
    await writeFile(instance.path("dest/tree/surplus"), "");
    const since = director.lines.length;
    director.signal("SIGHUP");
    expect(await director.waitForLine(is("run finished"), { since })).toMatchObject({ outcome: "ok" });
    expect(compareTrees(instance.path("source"), instance.path("dest/tree"), { mtimes: "all" })).toEqual([]);
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    expect(parseIntents(await readFile(instance.path("state/intents-test.json"), "utf8"))).toEqual([]);
    await expect.poll(() => processesNaming(instance.path("dest"))).toEqual([]);
  }

  it("are ended with it when it is killed, and its next life makes the copy whole", async () => {
    const instance = await makePusher(() => ({}), slowly);
    await killHard(await startCopying(instance));
    expect(await locksIn(instance.path("locks"))).toEqual(["here", "there"]);
    const next = await instance.start();
    await expect.poll(() => locksIn(instance.path("locks"))).toEqual([]);
    expect(await writersNaming(instance.path("dest"))).toEqual([]);
    expect(await filesIn(instance.path("dest/tree"))).toBeLessThan(600);
    await expectNextRunIsWhole(instance, next);
  });

  it("are stopped by its next life where nothing ends them with it", async () => {
    const instance = await makePusher(() => ({}), slowly);
    const PATH = await programsWithout("setpriv");
    await killHard(await startCopying(instance, { ...process.env, PATH }));
    expect((await processesNaming(instance.path("dest"))).length).toBeGreaterThanOrEqual(4);
    const next = await instance.start();
    expect(next.lines.map(({ msg }) => msg)).toContain(
      "an earlier life of this director left processes: stopping them",
    );
    await expect.poll(() => processesNaming(instance.path("dest"))).toEqual([]);
    await expectNextRunIsWhole(instance, next);
  });

  it("end when the run is cancelled: nobody is left, nothing was deleted, the locks are free", async () => {
    const instance = await makePusher(() => ({}), slowly);
    await mkdir(instance.path("dest/tree"));
    await writeFile(instance.path("dest/tree/surplus"), "");
    const director = await startCopying(instance);
    const cancelled = await instance.cli("cancel", "push");
    expect(cancelled).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("is cancelled") });
    await director.waitForLine(is("run finished"));
    expect(await processesNaming(instance.path("dest"))).toEqual([]);
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    expect(await readdir(instance.path("dest/tree"))).toContain("surplus");
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
  });

  it("go to several targets at a time, each of which gets all, or is named", async () => {
    const places = ["one", "two", "three"];
    const instance = await makePusher((path) => ({
      ...{ host: undefined, lock_files: [] },
      targets: places.map((id) => ({ id, host: backup.host, dest: path("dest", id, "tree") })),
    }));
    for (const id of ["one", "two"]) await mkdir(instance.path("dest", id));
    const { exitCode, stdout } = await instance.cli("run", "push");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/FAILED: copy: three: rsync ended with 11: .*; 2 of 3 targets succeeded/);
    for (const id of ["one", "two"]) {
      expect(compareTrees(instance.path("source"), instance.path("dest", id, "tree"), { mtimes: "all" })).toEqual([]);
    }
    expect(await readdir(instance.path("dest"))).not.toContain("three");
    expect(await processesNaming(instance.path("dest"))).toEqual([]);
  });

  it("have each of their changes tracked once", async () => {
    const tracking = (path: Instance["path"]) => ({
      track_changes: { log_file: path("changes.log"), backup_dir: path("previous") },
    });
    const instance = await makePusher(tracking);
    expect(await instance.cli("run", "push")).toMatchObject({ exitCode: 0 });
    const changed = (await readdir(instance.path("source"))).map((name) => instance.path("source", name));
    for (const [number, directory] of changed.entries()) {
      for (const file of await readdir(directory)) await writeFile(join(directory, file), `changed ${number} ${file}`);
    }
    await rm(join(changed[0]!, (await readdir(changed[0]!))[0]!));
    expect(await instance.cli("run", "push")).toMatchObject({ exitCode: 0 });
    for (const [number, directory] of changed.entries()) {
      const listed = await instance.cli("changes", directory, "--json", "--limit", "5000");
      const changes = JSON.parse(listed.stdout) as { path: string; change: string }[];
      const named = (kind: string) => changes.filter(({ change }) => change === kind).map(({ path }) => path);
      const files = (await readdir(directory)).map((name) => `${basename(directory)}/${name}`);
      expect(named("modified").toSorted()).toEqual(files.toSorted());
      expect(named("deleted")).toHaveLength(number === 0 ? 1 : 0);
    }
    expect(compareTrees(instance.path("source"), instance.path("dest/tree"), { mtimes: "all" })).toEqual([]);
  });
});
