import { execFileSync } from "node:child_process";
import { appendFile, chmod, chown, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SyncAction } from "../../src/config/resolved.ts";
import type { JobDraft } from "../support/build-job.ts";
import { compareTrees } from "../support/compare-trees.ts";
import { expectCreated } from "../support/created-files.ts";
import { partsRunning } from "../support/part-processes.ts";
import { processesMentioning, waitUntil } from "../support/process-state.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

const isRoot = process.getuid?.() === 0;
/** In every directory one name of each kind that could be taken for something else. */
const names = ["-rf", "--delete", "n\nl", "#comment", ";too", "[a]*?", "ü", "back\\slash", " blank ", ".hidden"];

describe("a sync that is split", () => {
  let host: TestSshd;
  let directory: string;
  const at = (...parts: string[]) => join(directory, ...parts);
  beforeAll(async () => void (host = await startSshd()));
  afterAll(() => host.stop());

  /** 700 files in 70 directories of hostile names. */
  beforeEach(async () => {
    directory = await makeTempDir();
    for (let number = 0; number < 70; number += 1) {
      const below = at("source", `${names[number % names.length]}${number}`);
      await mkdir(below, { recursive: true });
      for (const name of names) await writeFile(join(below, name), `${number} ${name}`.padEnd(2000, "."));
    }
  });

  const push = (): JobDraft => ({ type: "remote", direction: "push", endpoint: endpointOf(host) });
  const sync = (dest: string, overrides: Partial<SyncAction> = {}) =>
    buildSync({ sources: [`${at("source")}/`], dest, parallel: 4, ...overrides });
  const nobodyIsLeft = (dest: string) => waitUntil("nobody is left", () => processesMentioning(dest).length === 0);
  const untilPartsWrite = (dest: string) =>
    waitUntil("all parts write", async () => {
      if (partsRunning(dest) < 4) return false;
      return (await readdir(dest, { recursive: true }).catch(() => [])).length > 4;
    });

  it.each(["here", "there"])("gets a tree that changes under its hands right the next time: %s", async (way) => {
    const job = way === "there" ? push() : {};
    const slow = startAction(sync(at("dest"), { opts: ["--delete", "--bwlimit=100"] }), { job });
    await untilPartsWrite(at("dest"));
    // Of each directory something goes, something grows, and something takes the place of something else.
    for (const below of await readdir(at("source"))) {
      await rm(at("source", below, "-rf"));
      await appendFile(at("source", below, "n\nl"), "more");
      await rm(at("source", below, "ü"));
      await mkdir(at("source", below, "ü"));
      await writeFile(at("source", below, "new"), "new");
    }
    const first = await slow.outcome;
    expect(["ok", "warning"]).toContain(first.kind);
    const second = await startAction(sync(at("dest"), { opts: ["--delete"] }), { job }).outcome;
    expect(second).toMatchObject({ kind: "ok" });
    expect(compareTrees(at("source"), at("dest"), { mtimes: "all" })).toEqual([]);
  });

  it("says that it failed where the disk is full, deletes nothing, and is whole once there is room", async ({
    skip,
  }) => {
    const disk = await mountTmpfs("size=1m");
    skip("why" in disk, "why" in disk ? disk.why : "");
    if ("why" in disk) return;
    const dest = join(disk.directory, "dest");
    await mkdir(dest);
    await writeFile(join(dest, "surplus"), "");
    const full = await startAction(sync(dest, { opts: ["--delete-delay"] }), { job: push() }).outcome;
    expect(full).toMatchObject({ kind: "failed", message: expect.stringMatching(/No space left on device/) });
    await nobodyIsLeft(dest);
    expect(await readdir(dest)).toContain("surplus");
    await disk.remount("size=32m");
    const again = await startAction(sync(dest, { opts: ["--delete-delay"] }), { job: push() }).outcome;
    expect(again).toMatchObject({ kind: "ok" });
    expect(compareTrees(at("source"), dest, { mtimes: "all" })).toEqual([]);
  });

  it("fails as one rsync does where nothing can be written", async ({ skip }) => {
    const disk = await mountTmpfs("size=8m");
    skip("why" in disk, "why" in disk ? disk.why : "");
    if ("why" in disk) return;
    const dest = join(disk.directory, "dest");
    await mkdir(dest);
    await writeFile(join(dest, "surplus"), "");
    await disk.remount("ro");
    const [alone, split] = [1, 4].map((parallel) => sync(dest, { opts: ["--delete"], parallel }));
    const one = await startAction(alone!, { job: push() }).outcome;
    const all = await startAction(split!, { job: push() }).outcome;
    expect(one).toMatchObject({ kind: "failed" });
    expect(all).toMatchObject({ kind: "failed", report: { exitCode: one.report?.exitCode } });
    await nobodyIsLeft(dest);
    expect(await readdir(dest)).toEqual(["surplus"]);
  });

  it.runIf(isRoot)("leaves what one rsync leaves where an account writes that is not root", async () => {
    // Of what may not be written into, and of what it may not own, an ordinary account has more to fear than root.
    for (const below of (await readdir(at("source"))).filter((_, index) => index % 3 === 0)) {
      await chown(at("source", below, "-rf"), 12_345, 12_345);
      await chmod(at("source", below), 0o555);
    }
    await chmod(directory, 0o755);
    const account = 65_534;
    for (const name of ["one", "split"]) {
      await mkdir(at(name));
      await chown(at(name), account, account);
    }
    const opts = [`--rsync-path=setpriv --reuid=${account} --regid=${account} --clear-groups rsync`, "--delete"];
    const results = [];
    for (const [name, parallel] of [
      ["one", 1],
      ["split", 4],
    ] as const) {
      // In a directory of its own account's it has to make the destination itself.
      results.push(await startAction(sync(at(name, "dest"), { opts, parallel }), { job: push() }).outcome);
    }
    const [one, split] = results;
    expect(split!.kind).toBe(one!.kind);
    expect(split!.report?.exitCode).toBe(one!.report?.exitCode);
    expect(compareTrees(at("one/dest"), at("split/dest"), { mtimes: "all" })).toEqual([]);
    expect((await stat(at("split/dest"))).uid).toBe(account);
    expect(await readdir(at("split/dest"))).toHaveLength(70);
  });

  const surplusOf = async (dest: string) => {
    await mkdir(dest);
    for (let number = 0; number < 9; number += 1) {
      const path = join(dest, `surplus-${number}`);
      await writeFile(path, "");
      await utimes(path, 1_600_000_000, 1_600_000_000);
    }
  };

  it("deletes as many as --max-delete lets one rsync delete", async () => {
    const results = [];
    for (const [name, parallel] of [
      ["one", 1],
      ["split", 4],
    ] as const) {
      await surplusOf(at(name));
      const action = sync(at(name), { opts: ["--delete", "--max-delete=4"], parallel });
      results.push(await startAction(action, { job: push() }).outcome);
    }
    const [one, split] = results;
    expect(one).toMatchObject({ kind: "failed", report: { exitCode: 25, stats: { filesDeleted: 4 } } });
    expect(split).toMatchObject({ kind: "failed", report: { exitCode: 25, stats: { filesDeleted: 4 } } });
    expect(compareTrees(at("one"), at("split"), { mtimes: "files" })).toEqual([]);
  });

  it("copies nothing where the guard would not let it delete so many", async () => {
    await surplusOf(at("dest"));
    const guard = { maxDelete: 4, maxDeletePercent: undefined, nonEmpty: true, requirePaths: [] };
    const { outcome } = startAction(sync(at("dest"), { opts: ["--delete"] }), { job: { ...push(), guard } });
    expect(await outcome).toMatchObject({ kind: "failed", message: expect.stringContaining("max_delete: 4") });
    expect(await readdir(at("dest"))).toHaveLength(9);
  });

  it.each(["--del", "--delete-during", "--delete-delay", "--delete-after", "--delete-excluded"])(
    "deletes what one rsync deletes, and a directory in whose place is a file: %s",
    async (deletes) => {
      const filters = ["--exclude=*.log", "--filter=protect kept*", "--exclude=/--delete1/"];
      for (const name of ["one", "split"]) {
        await surplusOf(at(name));
        for (const file of ["a.log", "kept"]) {
          await writeFile(at(name, file), file);
          await utimes(at(name, file), 0, 0);
        }
        await mkdir(at(name, "-rf0", "n\nl", "deep"), { recursive: true });
        await writeFile(at(name, "-rf0", "n\nl", "deep", "file"), "in the place of a file");
        execFileSync("ln", ["-s", "/nowhere", at(name, "#comment3")]);
      }
      const results = [];
      for (const [name, parallel] of [
        ["one", 1],
        ["split", 4],
      ] as const) {
        const action = sync(at(name), { opts: [deletes, ...filters], parallel });
        results.push(await startAction(action, { job: push() }).outcome);
      }
      const [one, split] = results;
      expect(one).toMatchObject({ kind: "ok" });
      const { filesDeleted, filesTotal, filesCreated } = one!.report!.stats!;
      expect(split).toMatchObject({ kind: "ok", report: { stats: { filesDeleted, filesTotal } } });
      expectCreated(split!.report!.stats!.filesCreated, filesCreated, at("one"));
      expect(compareTrees(at("one"), at("split"), { mtimes: "files" })).toEqual([]);
      expect(await readFile(at("split", "kept"), "utf8")).toBe("kept");
    },
  );

  it("does not write through a link at the destination that stands in a directory's place", async () => {
    await mkdir(at("elsewhere"));
    for (const name of ["one", "split"]) {
      await mkdir(at(name));
      for (const below of await readdir(at("source"))) {
        execFileSync("ln", ["-s", "--", at("elsewhere"), at(name, below)]);
      }
    }
    const [one, split] = [sync(at("one"), { parallel: 1 }), sync(at("split"))];
    const alone = await startAction(one, { job: push() }).outcome;
    const together = await startAction(split, { job: push() }).outcome;
    expect(together.kind).toBe(alone.kind);
    expect(await readdir(at("elsewhere"))).toEqual([]);
    expect(compareTrees(at("one"), at("split"), { mtimes: "all" })).toEqual([]);
  });

  it("tells of the same changes as one rsync, each once, where they are tracked", async () => {
    const told = [];
    for (const [name, parallel] of [
      ["one", 1],
      ["split", 4],
    ] as const) {
      const { outcome, changes, lines } = startAction(sync(at(name), { opts: ["-i"], parallel }), { job: push() });
      expect(await outcome).toMatchObject({ kind: "ok" });
      const created = changes.filter(({ isNew }) => isNew).map(({ kind, path }) => `${kind} ${path}`);
      told.push({ created: created.toSorted(), lines: lines.filter((line) => line.includes("f+++++++++")).toSorted() });
    }
    expect(told[0]!.created.filter((entry) => entry.startsWith("file "))).toHaveLength(700);
    const files = told.map(({ created }) => created.filter((entry) => entry.startsWith("file ")));
    expect(files[1]).toEqual(files[0]);
    expect(new Set(told[1]!.created)).toEqual(new Set(told[0]!.created));
    expect(told[1]!.lines).toEqual(told[0]!.lines);
  });
});
