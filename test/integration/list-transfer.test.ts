import { chmod, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { filesOf, makeWatchedSync, messageOf, treeOf } from "../support/watched-sync.ts";
import type { WatchedSync } from "../support/watched-sync.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

it("have been stopped, and not failed, when that comes after an rsync that could not carry all of them", async () => {
  const program = join(await makeTempDir(), "rsync");
  await writeFile(program, '#!/bin/sh\nmkdir "$0.first" && exit 23\necho waits\nexec sleep 600\n');
  await chmod(program, 0o755);
  const sync = await makeWatchedSync(program);
  await sync.fill("source", ["one/a", "two/b"]);
  const sources = [`${sync.source}/one/`, `${sync.source}/two/`];
  const carried = sync.carry(
    { changed: ["one/a", "two/b"] },
    { action: { sources }, context: { onOutput: (_, line) => line === "waits" && carried.stop("cancelled") } },
  );
  await expect(carried.outcome).resolves.toMatchObject({
    ...{ kind: "cancelled", reason: "cancelled" },
    message: expect.stringMatching(/^cancelled came; rsync ended with 23: /),
    report: { signal: "SIGTERM" },
  });
  expect(await sync.started()).toBe(2);
});

describe.each(versions)("changed paths with rsync $version", ({ bin }) => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync(join(bin, "rsync"));
  });

  it("are sent by one rsync, and nothing else is", async () => {
    await sync.fill("source", ["a/b/c/deep", "top", "a/b/other"]);
    const { outcome, argv } = sync.carry({ changed: ["a/b/c/deep", "top"] });
    await expect(outcome).resolves.toMatchObject({
      kind: "ok",
      report: { exitCode: 0, stats: { filesTransferred: 2 } },
    });
    expect(await filesOf(sync.dest)).toEqual(["a/b/c/deep", "top"]);
    expect(await sync.started()).toBe(1);
    expect(argv).toEqual(
      expect.arrayContaining(["--files-from=-", "--from0", "--modify-window=-1", `${sync.source}/`]),
    );
  });

  it("keep the attributes of the directories above them", async () => {
    await sync.fill("source", ["a/file"]);
    await chmod(join(sync.source, "a"), 0o700);
    await sync.carry({ changed: ["a/file"] }).outcome;
    const { stdout } = await execa("stat", ["-c", "%a", join(sync.dest, "a")]);
    expect(stdout).toBe("700");
  });

  it("may have any name", async () => {
    const names = [
      "-rf",
      " lead and trail ",
      "new\nline",
      "car\rriage",
      "st*r",
      "que?y",
      "[x]",
      "ünï→",
      "#c",
      ";d",
      "back\\slash",
      "x/-d/+ y",
      "x/\n/z",
    ];
    await sync.fill("source", [...names, "star", "query", "x/y"]);
    await expect(sync.carry({ changed: names }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect((await filesOf(sync.dest)).toSorted()).toEqual(names.toSorted());
  });

  it("that are gone again are no fault, and nothing is deleted for them", async () => {
    await sync.fill("source", ["here"]);
    await sync.fill("dest", ["gone", "dir/gone"]);
    const changes = { changed: ["here", "gone", "dir/gone"], tree: ["no-tree"] };
    for (const deleteWatched of [false, true]) {
      await expect(sync.carry(changes, { watch: { deleteWatched } }).outcome).resolves.toMatchObject({ kind: "ok" });
    }
    expect(await filesOf(sync.dest)).toEqual(["dir/gone", "gone", "here"]);
  });

  it("start no rsync when nothing is left of them", async () => {
    await sync.fill("source", ["here"]);
    const { outcome, argv } = sync.carry({ changed: ["gone"], deleted: ["other"] });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: null, turnedAway: true } });
    expect([await sync.started(), argv]).toEqual([0, []]);
  });

  it("of a new tree come with all that is in it; a directory alone comes alone", async () => {
    await sync.fill("source", ["tree/a/b", "tree/empty/", "tree/x", "dir/not-named"]);
    await symlink("b", join(sync.source, "tree/a/link"));
    await expect(sync.carry({ tree: ["tree"], changed: ["dir"] }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["dir/", "tree/a/b", "tree/a/link", "tree/empty/", "tree/x"]);
    expect(await sync.started()).toBe(1);
  });

  it("do not lead through a link that has taken the place of a directory", async () => {
    await sync.fill("source", ["real/file"]);
    await symlink("real", join(sync.source, "dir"));
    await sync.fill("dest", ["dir/file"], "old");
    await expect(
      sync.carry({ changed: ["dir/file"] }, { watch: { deleteWatched: true } }).outcome,
    ).resolves.toMatchObject({ kind: "ok" });
    expect(await treeOf(sync.dest)).toEqual({ dir: "-> real" });
  });

  it("replace a directory by a file only where deletions are carried", async () => {
    await sync.fill("source", ["now-a-file"]);
    await sync.fill("dest", ["now-a-file/old", "other/extra"]);
    const changes = { changed: ["now-a-file"] };
    expect(await messageOf(sync.carry(changes).outcome)).toMatch(/could not make way for new regular file: now-a-file/);
    await expect(sync.carry(changes, { watch: { deleteWatched: true } }).outcome).resolves.toMatchObject({
      kind: "ok",
    });
    expect(await filesOf(sync.dest)).toEqual(["now-a-file", "other/extra"]);
  });

  it("arrive also when they keep their size within the same second", async () => {
    await sync.fill("source", ["file"], "one");
    await sync.carry({ changed: ["file"] }).outcome;
    await writeFile(join(sync.source, "file"), "two");
    await execa("touch", ["-r", join(sync.dest, "file"), join(sync.directory, "stamp")]);
    await execa("sh", [
      "-c",
      'touch -d "@$(stat -c %Y "$1").000000001" "$2"',
      "sh",
      join(sync.directory, "stamp"),
      join(sync.source, "file"),
    ]);
    await sync.carry({ changed: ["file"] }).outcome;
    expect(await treeOf(sync.dest)).toEqual({ file: "two" });
  });

  it("lie below the source's own name when it has no slash, also of a single file", async () => {
    await sync.fill("source", ["a/b", "c"]);
    const sources = [sync.source, join(sync.source, "c")];
    await expect(sync.carry({ changed: ["a/b", "c"] }, { action: { sources } }).outcome).resolves.toMatchObject({
      kind: "ok",
    });
    expect(await filesOf(sync.dest)).toEqual(["c", "source/a/b", "source/c"]);
  });

  it("are left out by the same rules as in a complete sync", async () => {
    const names = [
      "cache/x",
      "cache/deep/y",
      "keep/cache/z",
      "a.tmp",
      "sub/b.tmp",
      "sub/c",
      "sub/n\nl/cache/q",
      "w/x.log",
      "w/y",
      "ünï→/x",
      " led/x.tmp",
      " led/y",
    ];
    await sync.fill("source", names);
    const patterns = join(sync.directory, "patterns");
    await writeFile(patterns, "# comment\n\n+ /w/x.log\n*.log\n");
    for (const opts of [
      ["--exclude=cache/", "--exclude", "*.tmp"],
      ["--include=/keep/cache/", "--exclude=cache/", `--exclude-from=${patterns}`],
      ["-f", "- /sub/", "--exclude-from", patterns],
    ]) {
      const list = await makeWatchedSync(join(bin, "rsync"));
      await list.fill("source", names);
      await expect(list.carry({ changed: names }, { action: { opts } }).outcome).resolves.toMatchObject({ kind: "ok" });
      const whole = await makeWatchedSync(join(bin, "rsync"));
      await whole.fill("source", names);
      await whole.full({ action: { opts: [...opts, "-m"] } }).outcome;
      expect(await filesOf(list.dest)).toEqual(await filesOf(whole.dest));
    }
  });

  it("are only files with the endings of the sync", async () => {
    await sync.fill("source", ["a.rrd", "b.txt", "d/c.rrd", "d/e.txt", "t/x.rrd", "t/y", "empty/"]);
    const changed = ["a.rrd", "b.txt", "d", "d/c.rrd", "d/e.txt", "empty"];
    await sync.carry({ changed, tree: ["t"] }, { action: { extensions: [".rrd"] } }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["a.rrd", "d/c.rrd", "t/x.rrd"]);
  });

  it("do not make a missing destination unless it is asked for", async () => {
    await sync.fill("source", ["a/b"]);
    const dest = join(sync.dest, "no", "where");
    await expect(sync.carry({ changed: ["a/b"] }, { action: { dest } }).outcome).resolves.toMatchObject({
      kind: "failed",
    });
    const rsync = { archive: true, mkpath: true };
    await expect(sync.carry({ changed: ["a/b"] }, { action: { dest, rsync } }).outcome).resolves.toMatchObject({
      kind: "ok",
    });
    expect(await filesOf(sync.dest)).toEqual(["no/where/a/b"]);
  });

  it("tell in a dry run what would happen, and change nothing", async () => {
    await sync.fill("source", ["new"]);
    await sync.fill("dest", ["old"]);
    const watch = { deleteWatched: true };
    const { outcome, lines, changes } = sync.carry({ changed: ["new"], deleted: ["old"] }, { dryRun: true, watch });
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect(lines).toEqual(expect.arrayContaining(["stdout: >f+++++++++ new", "stdout: *deleting   old"]));
    expect([await filesOf(sync.dest), changes]).toEqual([["old"], []]);
  });
});

describe("changed paths", () => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync("/usr/bin/rsync");
  });

  it.each([
    [
      "a tree holds too much for a list",
      { tree: ["tree"] },
      { watch: { fullSyncThreshold: 3 } },
      /"tree" holds too much/,
    ],
    ["the source itself has changed", { tree: [""] }, {}, /the source ".*" itself has changed/],
    [
      "filter rules lie in directories",
      { changed: ["tree/a"] },
      { action: { opts: ["-F"] } },
      /filter rules lie in directories/,
    ],
    ["links are followed", { changed: ["link"] }, { action: { opts: ["-L"] } }, /links such as "link" are followed/],
    [
      "a file with patterns cannot be read",
      { changed: ["tree/a"] },
      { action: { opts: ["--include-from=/no/file"] } },
      /cannot be read/,
    ],
  ])("are sent by a complete sync when %s", async (_why, changes, options, reason) => {
    await sync.fill("source", ["tree/a", "tree/b", "tree/c", "tree/d", "untold"]);
    await symlink("tree", join(sync.source, "link"));
    const { outcome, reasons, argv } = sync.carry(changes, options);
    await outcome;
    expect(reasons).toEqual([expect.stringMatching(reason)]);
    expect(argv.filter((word) => word.startsWith("--files-from"))).toEqual([]);
    if (!/patterns/.test(_why)) expect(await filesOf(sync.dest)).toContain("untold");
  });

  it("are sent by a complete sync when they are in no source any more, and are a bug when they should be", async () => {
    await sync.fill("source", ["a"]);
    const scope = { kind: "paths", changes: [{ kind: "changed", path: "/elsewhere/x" }] } as const;
    const { outcome, reasons } = sync.full({ scope });
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect([reasons, await filesOf(sync.dest)]).toEqual([['"/elsewhere/x" is in no source any more'], ["a"]]);
    const bug = sync.full({ scope, watch: { paths: ["/elsewhere"] } });
    await expect(bug.outcome).resolves.toMatchObject({
      kind: "failed",
      cause: "exception",
      message: expect.stringContaining('"/elsewhere/x" is in no source of sync'),
    });
  });

  it.each([
    [["-R"], /changed paths cannot be sent with -R/],
    [["--files-from=/x"], /cannot be sent with --files-from/],
    [["--exclude-from=-"], /cannot be sent with --exclude-from -/],
  ])("are refused with %j", async (opts, message) => {
    await sync.fill("source", ["a"]);
    expect(await messageOf(sync.carry({ changed: ["a"] }, { action: { opts } }).outcome)).toMatch(message);
    expect(await sync.started()).toBe(0);
  });

  it("are all told in the statistics when there are several sources", async () => {
    await sync.fill("source", ["one/a", "two/b", "two/c"]);
    const sources = [join(sync.source, "one"), join(sync.source, "two")];
    const { outcome } = sync.carry({ changed: ["one/a", "two/b", "two/c"] }, { action: { sources } });
    await expect(outcome).resolves.toMatchObject({ kind: "ok", report: { stats: { filesTransferred: 3 } } });
    expect([await filesOf(sync.dest), await sync.started()]).toEqual([["one/a", "two/b", "two/c"], 2]);
  });
});
