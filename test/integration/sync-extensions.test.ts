import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { filesOf, makeWatchedSync, messageOf } from "../support/watched-sync.ts";
import type { WatchedSync } from "../support/watched-sync.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

describe.each(versions)("a sync of some endings with rsync $version", ({ bin }) => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync(join(bin, "rsync"));
    await sync.fill("source", ["a.rrd", "b.txt", "d/c.rrd", "d/e.txt", "no/f.txt", "empty/", "rrd", "x.rrd~", "y.RRD"]);
  });

  it("copies files that have one, and the directories they are in", async () => {
    await expect(sync.full({ action: { extensions: [".rrd"] } }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["a.rrd", "d/c.rrd"]);
  });

  it("takes an ending as it is written", async () => {
    await sync.fill("source", ["1.a*b", "1.axb", "2[x]", "2x", "3\\y"]);
    await sync.full({ action: { extensions: [".a*b", "[x]", "\\y", ".txt"] } }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["1.a*b", "2[x]", "3\\y", "b.txt", "d/e.txt", "no/f.txt"]);
  });

  it("lets the user's own excludes win", async () => {
    const rsync = { archive: true, exclude: ["/d/"] };
    await sync.full({ action: { extensions: [".rrd"], rsync, opts: ["--exclude", "y*"] } }).outcome;
    expect(await filesOf(sync.dest)).toEqual(["a.rrd"]);
  });

  it("deletes nothing that has another ending", async () => {
    await sync.fill("dest", ["old.rrd", "old.txt", "gone/x.rrd", "gone/y.txt", "gone-too/z.rrd"]);
    const rsync = { archive: true, delete: true };
    await expect(sync.full({ action: { extensions: [".rrd"], rsync } }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["a.rrd", "d/c.rrd", "gone/y.txt", "old.txt"]);
  });

  it("is refused together with the deletion of what is excluded", async () => {
    await sync.fill("dest", ["old.txt"]);
    const action = { extensions: [".rrd"], opts: ["--delete-excluded"] };
    expect(await messageOf(sync.full({ action }).outcome)).toMatch(/every file with another ending would be deleted/);
    expect(await filesOf(sync.dest)).toEqual(["old.txt"]);
  });
});
