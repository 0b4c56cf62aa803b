import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { filesOf, makeWatchedSync, treeOf } from "../support/watched-sync.ts";
import type { CarryOptions, WatchedSync } from "../support/watched-sync.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

const watch = { deleteWatched: true };

describe.each(versions)("deleted paths with rsync $version", ({ bin }) => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync(join(bin, "rsync"));
    await sync.fill("source", ["stays"]);
  });

  const carry = (deleted: readonly string[], options: CarryOptions = {}) =>
    sync.carry({ deleted }, { watch, ...options }).outcome;

  it("go from the target, and nothing beside them", async () => {
    await sync.fill("source", ["a/kept"]);
    await sync.fill("dest", ["a/kept", "a/gone", "a/only-there", "gone", "only-there", "other/only-there"]);
    await expect(carry(["a/gone", "gone", "never-was"])).resolves.toMatchObject({
      kind: "ok",
      report: { stats: { filesDeleted: 2 } },
    });
    expect(await filesOf(sync.dest)).toEqual(["a/kept", "a/only-there", "only-there", "other/only-there"]);
    expect(await sync.started()).toBe(1);
  });

  it("stay where deletions are not carried", async () => {
    await sync.fill("dest", ["gone"]);
    await expect(carry(["gone"], { watch: {} })).resolves.toMatchObject({ kind: "ok" });
    expect([await filesOf(sync.dest), await sync.started()]).toEqual([["gone"], 0]);
  });

  it("go with all that is in them, also when the directory above is gone too", async () => {
    await sync.fill("dest", ["dir/a", "dir/sub/b", "above/gone/x", "above/only-there"]);
    await expect(carry(["dir/a", "dir", "dir/sub/b", "above/gone/x"])).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["above/only-there"]);
  });

  it("leave what is excluded, and the directory around it", async () => {
    await sync.fill("dest", ["dir/a", "dir/b.tmp", "dir/sub/c", "cache/d", "x/cache/e"]);
    const opts = ["--exclude=*.tmp", "--exclude=cache/"];
    await expect(carry(["dir", "cache/d", "x"], { action: { opts } })).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["cache/d", "dir/b.tmp", "x/cache/e"]);
  });

  it.each([
    [["--include=*.keep", "--include=*/", "--exclude=*"]],
    [["--filter=: .rules", "-avC"]],
    [["--exclude=!", "--delete-excluded"]],
  ])("are exact whatever the filters %j let in", async (opts) => {
    await sync.fill("source", ["dir/x.keep"]);
    await sync.fill("dest", [
      "dir/x.keep",
      "dir/only-there.keep",
      "dir/gone.keep",
      "only-there.keep",
      "whole/in.keep",
      "whole/a/b.keep",
    ]);
    await expect(carry(["dir/gone.keep", "whole"], { action: { opts } })).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["dir/only-there.keep", "dir/x.keep", "only-there.keep"]);
  });

  it("go only where their endings are the sync's", async () => {
    await sync.fill("dest", ["dir/a.rrd", "dir/b.txt", "dir/sub/c.rrd", "d.rrd", "e.txt", "p.rrd/f.rrd", "p.rrd/g"]);
    await carry(["dir", "d.rrd", "e.txt", "p.rrd"], { action: { extensions: [".rrd"] } });
    expect(await filesOf(sync.dest)).toEqual(["dir/b.txt", "e.txt", "p.rrd/g"]);
  });

  it("that have come back are copied instead", async () => {
    await sync.fill("source", ["file", "dir/new", "was-dir"]);
    await sync.fill("dest", ["file", "dir/old", "was-dir/old", "was-dir/sub/older"], "before");
    await expect(carry(["file", "dir", "was-dir", "was-dir/old"])).resolves.toMatchObject({ kind: "ok" });
    // What is a directory again may be an empty mount point: only a complete sync deletes in there.
    expect(await treeOf(sync.dest)).toEqual({
      "dir/": "",
      "dir/new": "content",
      "dir/old": "before",
      file: "content",
      "was-dir": "content",
    });
  });

  it("take along what was in a directory that another has come in the place of", async () => {
    await sync.fill("source", ["again/new", "again/both", "empty/"]);
    await sync.fill("dest", ["again/old", "again/sub/old", "again/both", "empty/old", "only-there"], "before");
    const changes = { deleted: ["again", "empty"], tree: ["again", "empty"] };
    await expect(sync.carry(changes, { watch }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["again/both", "again/new", "empty/old", "only-there"]);
  });

  it("are carried before a complete sync too, which may not look for them", async () => {
    await sync.fill("source", ["new"]);
    await sync.fill("dest", ["gone", "only-there"]);
    const scope = { kind: "full", reason: "test", deleted: [join(sync.source, "gone")] } as const;
    await expect(sync.full({ scope, watch }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["new", "only-there", "stays"]);
    await sync.fill("dest", ["gone"]);
    await expect(sync.full({ scope }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["gone", "new", "only-there", "stays"]);
  });

  it("give way when something else than their directory is there", async () => {
    await sync.fill("source", ["was-dir"]);
    await sync.fill("dest", ["was-dir/gone", "was-dir/more", "linked/gone"]);
    await symlink("stays", join(sync.source, "linked"));
    await expect(carry(["was-dir/gone", "linked/gone"])).resolves.toMatchObject({ kind: "ok" });
    expect(await treeOf(sync.dest)).toEqual({ linked: "-> stays", "was-dir": "content" });
  });

  it("are never looked for behind a link at the target", async () => {
    await sync.fill("source", ["dir/stays"]);
    const outside = join(sync.directory, "outside");
    for (const name of ["dir", "gone"]) {
      await mkdir(join(outside, name), { recursive: true });
      await writeFile(join(outside, name, "file"), "precious");
      await symlink(join(outside, name), join(sync.dest, name));
    }
    await carry(["dir/file", "gone/file"]);
    expect(await filesOf(outside)).toEqual(["dir/file", "gone/file"]);
  });

  it.each([[[]], [["--include=zzz"]], [["--exclude=zzz"]]])("may have any name (%j)", async (opts) => {
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
      "+ p",
      "- m",
      "!",
      "back\\slash",
      "x/-d/+ y",
      "x/[1]/***",
      "b\\[/c",
    ];
    await sync.fill("source", ["x/stays", "x/-d/", "x/[1]/"]);
    await sync.fill("dest", [...names, "star", "query", "x/y", "x/1/a", "newxline", "new/line", "b\\\\["]);
    await expect(carry(names, { action: { opts } })).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual([
      "b\\\\[",
      "new/line",
      "newxline",
      "query",
      "star",
      "x/-d/",
      "x/1/a",
      "x/[1]/",
      "x/y",
    ]);
  });

  it("come before what is copied, in a call of their own", async () => {
    await sync.fill("source", ["new"]);
    await sync.fill("dest", ["gone"]);
    const { outcome, argv, changes } = sync.carry(
      { changed: ["new"], deleted: ["gone"] },
      { watch, action: { opts: ["-i"] } },
    );
    await expect(outcome).resolves.toMatchObject({
      kind: "ok",
      report: { argv: expect.arrayContaining(["--files-from=-"]), stats: { filesDeleted: 1, filesTransferred: 1 } },
    });
    expect(argv).toContain("--files-from=-");
    const files = changes.filter(({ kind }) => kind !== "directory");
    expect(files.map(({ operation, path }) => [operation, path])).toEqual([
      ["deleted", "gone"],
      ["received", "new"],
    ]);
    expect(await sync.started()).toBe(2);
  });

  it("are carried before a complete sync that takes the place of a list", async () => {
    await sync.fill("source", ["tree/a", "tree/b"]);
    await sync.fill("dest", ["gone", "only-there"]);
    const { outcome } = sync.carry(
      { tree: ["tree"], deleted: ["gone"] },
      { watch: { ...watch, fullSyncThreshold: 2 } },
    );
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["only-there", "stays", "tree/a", "tree/b"]);
  });

  it("do not keep changes back when one of them fails", async () => {
    await sync.fill("source", ["new"]);
    const rsync = { archive: true, maxDelete: 1 };
    await sync.fill("dest", ["gone", "gone-too"]);
    const { outcome } = sync.carry({ changed: ["new"], deleted: ["gone", "gone-too"] }, { watch, action: { rsync } });
    await expect(outcome).resolves.toMatchObject({ kind: "failed", report: { exitCode: 25 } });
    expect(await filesOf(sync.dest)).toContain("new");
  });
});
