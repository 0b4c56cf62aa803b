import { mkdir } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { filesOf, makeWatchedSync, treeOf, type WatchedSync } from "../support/watched-sync.ts";

const rsync = findProgram("rsync", process.env["PATH"] ?? "") ?? "rsync";
const watch = { deleteWatched: true };

/** A directory was deleted, and another one has come in its place: the target still has what only the old one had. */
describe("a directory in the place of another one", () => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync(rsync);
    await sync.fill("source", ["stays", "dir/new"]);
    await sync.fill("dest", ["stays", "dir/new", "dir/old"]);
  });

  it("loses the old content also when something in it has changed before", async () => {
    await sync.carry({ changed: ["dir/new"], deleted: ["dir"], tree: ["dir"] }, { watch }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["dir/new", "stays"]);
  });

  it("loses the old content also with a single file of the endings", async () => {
    await sync.fill("source", ["dir/a.txt"]);
    await sync.fill("dest", ["dir/b.txt"]);
    await sync.carry({ deleted: ["dir"], tree: ["dir"] }, { watch, action: { extensions: [".txt"] } }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["dir/a.txt", "dir/new", "dir/old", "stays"]);
  });

  it("loses the old content also when it is too large for a list", async () => {
    await sync.fill("source", ["dir/1", "dir/2", "dir/3"]);
    const { outcome, reasons } = sync.carry(
      { deleted: ["dir"], tree: ["dir"] },
      { watch: { ...watch, fullSyncThreshold: 2 } },
    );
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect(reasons).toEqual(['"dir" holds too much for a list']);
    expect(await filesOf(sync.dest)).toEqual(["dir/1", "dir/2", "dir/3", "dir/new", "stays"]);
  });

  it("loses the old content also when something else is the reason for a complete sync", async () => {
    await sync.fill("source", ["big/1", "big/2", "big/3"]);
    const changes = [
      { path: `${sync.source}/big`, kind: "tree" as const },
      { path: `${sync.source}/dir`, kind: "deleted" as const },
      { path: `${sync.source}/dir`, kind: "tree" as const },
    ];
    const scope = { kind: "paths" as const, changes };
    await sync.full({ watch: { ...watch, fullSyncThreshold: 2 }, scope }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["big/1", "big/2", "big/3", "dir/new", "stays"]);
  });

  it("loses the old content also in a complete sync that does not delete", async () => {
    const scope = {
      kind: "full" as const,
      reason: "asked for",
      deleted: [`${sync.source}/dir`],
      replaced: [`${sync.source}/dir`],
    };
    await sync.full({ watch, scope }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["dir/new", "stays"]);
  });

  it("loses nothing while the new one is empty, which could be a mount point", async () => {
    await mkdir(`${sync.source}/empty`);
    await sync.fill("dest", ["empty/old"]);
    const scope = {
      kind: "full" as const,
      reason: "asked for",
      deleted: [`${sync.source}/empty`],
      replaced: [`${sync.source}/empty`],
    };
    await sync.carry({ deleted: ["empty"], tree: ["empty"] }, { watch }).outcome;
    await sync.full({ watch, scope }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["dir/new", "dir/old", "empty/old", "stays"]);
  });
});

describe("sources that meet at the destination", () => {
  it("keep there what only one of them has lost", async () => {
    const sync = await makeWatchedSync(rsync);
    const other = `${sync.directory}/other`;
    await sync.fill("source", ["stays"]);
    await sync.fill("source", ["../other/file", "../other/dir/theirs"], "theirs");
    await sync.fill("dest", ["stays", "file", "dir/ours", "dir/theirs"]);
    const sources = [`${sync.source}/`, `${other}/`];
    await sync.carry({ deleted: ["file", "dir"] }, { watch, action: { sources } }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["dir/theirs", "file", "stays"]);
  });

  it("have there what the first of them has, as in a complete sync", async () => {
    const sync = await makeWatchedSync(rsync);
    await sync.fill("source", ["file", "dir/first"], "ours");
    await sync.fill("source", ["../other/file", "../other/dir/second"], "theirs");
    const other = `${sync.directory}/other`;
    const changes = [
      { path: `${other}/file`, kind: "changed" as const },
      { path: `${other}/dir`, kind: "tree" as const },
      { path: `${sync.source}/file`, kind: "changed" as const },
    ];
    const action = { sources: [`${sync.source}/`, `${other}/`] };
    const watch = { paths: [sync.source, other] };
    await sync.full({ scope: { kind: "paths", changes }, action, watch }).outcome;
    expect(await treeOf(sync.dest)).toEqual({ "dir/": "", "dir/second": "theirs", file: "ours" });
  });

  it("do not meet where one of them brings its own name", async () => {
    const sync = await makeWatchedSync(rsync);
    await sync.fill("source", ["file"]);
    await sync.fill("source", ["../other/file", "../file"], "theirs");
    const other = `${sync.directory}/other`;
    const changes = [{ path: `${other}/file`, kind: "changed" as const }];
    const action = { sources: [sync.source, `${other}/`] };
    await sync.full({ scope: { kind: "paths", changes }, action, watch: { paths: [sync.source, other] } }).outcome;
    expect(await treeOf(sync.dest)).toEqual({ file: "theirs" });
  });
});
