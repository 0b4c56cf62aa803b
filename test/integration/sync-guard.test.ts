import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { filesOf, makeWatchedSync } from "../support/watched-sync.ts";
import type { CarriedSync, CarryOptions, WatchedSync } from "../support/watched-sync.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

const precious = ["a", "b", "dir/c", "dir/d"];
const watch = { deleteWatched: true, deleteOnFull: true };
const replacedDirectory = { deleted: ["dir"], tree: ["dir"] };

/** What a sync must not begin with: what became of the source. */
const losses = {
  "is missing": (sync: WatchedSync) => rm(sync.source, { recursive: true }),
  "is empty": async (sync: WatchedSync) => {
    await rm(sync.source, { recursive: true });
    await mkdir(sync.source);
  },
  "holds lost+found alone": async (sync: WatchedSync) => {
    await rm(sync.source, { recursive: true });
    await mkdir(join(sync.source, "lost+found"), { recursive: true });
  },
  "is covered by an empty mount": async (sync: WatchedSync) => {
    const mounted = await execa("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", sync.source], { reject: false });
    if (mounted.exitCode !== 0) {
      console.log(`SKIPPED the mount: ${mounted.stderr}`);
      await losses["is empty"](sync);
      return;
    }
    onTestFinished(async () => void (await execa("umount", ["--lazy", sync.source])));
  },
};

describe.each(versions)("a target with rsync $version", ({ bin }) => {
  let sync: WatchedSync;
  beforeEach(async () => {
    sync = await makeWatchedSync(join(bin, "rsync"));
    await sync.fill("source", precious);
    await sync.fill("dest", precious);
  });

  it.each(Object.entries(losses))("is not emptied when the source %s", async (_what, lose) => {
    await lose(sync);
    const syncs = [
      sync.full({ watch }),
      sync.full({ action: { opts: ["--delete-before"] } }),
      sync.full({ watch, guard: { maxDelete: 1000 } }),
      sync.carry({ deleted: precious }, { watch }),
      sync.carry({ deleted: [...precious, "dir", ""] }, { watch }),
      sync.carry({ changed: ["a"], tree: ["dir"], deleted: ["b"] }, { watch }),
    ];
    for (const { outcome } of syncs) {
      await expect(outcome).resolves.toMatchObject({ kind: "failed", cause: "process", retryable: true, report: null });
    }
    expect(await filesOf(sync.dest)).toEqual(precious);
    expect(await sync.started()).toBe(0);
  });

  it("is not emptied when the source vanishes after it was looked at", async () => {
    // The program that stands for rsync takes the source away before rsync sees it.
    await rename(join(sync.directory, "bin", "rsync"), join(sync.directory, "bin", "real"));
    const script = `#!/bin/sh\nmv ${sync.source} ${sync.source}.away\n${sync.directory}/bin/real "$@"\ncode=$?\nmv ${sync.source}.away ${sync.source}\nexit $code\n`;
    await execa("sh", ["-c", 'cat >"$1"; chmod +x "$1"', "sh", join(sync.directory, "bin", "rsync")], {
      input: script,
    });
    for (const carried of [sync.full({ watch })]) {
      await expect(carried.outcome).resolves.toMatchObject({ kind: "failed", report: { exitCode: 23 } });
    }
    await rm(join(sync.source, "a"));
    await expect(sync.carry({ deleted: ["a"] }, { watch }).outcome).resolves.toMatchObject({ kind: "failed" });
    await expect(sync.carry({ changed: ["b"] }, { watch }).outcome).resolves.toMatchObject({ kind: "failed" });
    expect(await filesOf(sync.dest)).toEqual(precious);
  });

  /** In rsync's place a script that does something when a dry run has ended. */
  async function afterLook(command: string): Promise<void> {
    const bin = join(sync.directory, "bin");
    await rename(join(bin, "rsync"), join(bin, "real"));
    const script = `#!/bin/sh\n${bin}/real "$@"\ncode=$?\ncase "$*" in *--dry-run*) ${command} ;; esac\nexit $code\n`;
    await writeFile(join(bin, "rsync"), script, { mode: 0o755 });
  }

  const looks: [string, () => Promise<CarriedSync>][] = [
    ["max_delete", async () => sync.full({ watch, guard: { maxDelete: 1000 } })],
    ["max_delete_percent", async () => sync.full({ watch, guard: { maxDeletePercent: 50 } })],
    ["max_delete for changed paths", async () => sync.carry(replacedDirectory, { watch, guard: { maxDelete: 1000 } })],
    ["parallel with little to copy", async () => sync.full({ watch, action: { parallel: 4 } })],
    [
      "parallel with parts",
      async () => {
        await sync.fill("source", ["large-1", "large-2"], "x".repeat(3 * 1024 * 1024));
        return sync.full({ watch, action: { parallel: 4 } });
      },
    ],
  ];

  it.each(looks)("is not emptied when the source's disk goes after a look: %s", async (_what, start) => {
    await sync.fill("dest", ["dir/e"]);
    await afterLook(`mv ${sync.source} ${sync.source}.away; mkdir ${sync.source}`);
    const { outcome } = await start();
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: true,
      message: expect.stringContaining("is empty, and the sync would delete everything at the destination"),
    });
    expect(await filesOf(sync.dest)).toEqual([...precious, "dir/e"]);
  });

  it.each([{ maxDeletePercent: 20 }, { maxDelete: 1 }])(
    "loses no more than %j when more is gone after the count",
    async (guard) => {
      await afterLook(`cd ${sync.source}; rm b dir/c dir/d`);
      await expect(sync.full({ watch, guard }).outcome).resolves.toMatchObject({
        kind: "failed",
        report: { exitCode: 25, stats: { filesDeleted: 1 } },
      });
      expect(await filesOf(sync.dest)).toHaveLength(3);
    },
  );

  it("is emptied where non_empty: false says that this is right", async () => {
    await losses["is empty"](sync);
    const guard = { nonEmpty: false };
    await expect(sync.carry({ deleted: ["a"] }, { watch, guard }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["b", "dir/c", "dir/d"]);
    await expect(sync.full({ watch, guard }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual([]);
  });

  it.each([
    ["relative to the source", "marker", (at: WatchedSync) => join(at.source, "marker")],
    ["absolute", undefined, (at: WatchedSync) => join(at.directory, "marker")],
  ])("gets nothing while a required path is not there: %s", async (_how, name, place) => {
    const path = place(sync);
    const guard = { requirePaths: [name ?? path] };
    await sync.fill("source", ["new"]);
    for (const { outcome } of [sync.full({ guard }), sync.carry({ changed: ["new"] }, { guard })]) {
      await expect(outcome).resolves.toEqual({
        kind: "failed",
        cause: "process",
        message: `guard.require_path ${JSON.stringify(path)} is not there: is the disk mounted?`,
        retryable: true,
        report: null,
      });
    }
    await mkdir(path);
    await expect(sync.carry({ changed: ["new"] }, { guard }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toContain("new");
  });

  const refusals: [string, CarryOptions, RegExp][] = [
    [
      "max_delete",
      { guard: { maxDelete: 2 } },
      /would delete 3 entries, more than max_delete: 2: "[^"]+", "[^"]+", "[^"]+"; nothing was copied/,
    ],
    [
      "max_delete_percent",
      { guard: { maxDeletePercent: 40 } },
      /would delete 3 of \d entries \(\d\d %\), more than max_delete_percent: 40/,
    ],
  ];

  it.each(refusals)("is left as it is by a sync that would delete more than %s", async (_limit, options, message) => {
    for (const name of ["b", "dir/c", "dir/d"]) await rm(join(sync.source, name));
    await sync.fill("source", ["new"]);
    const refused = { kind: "failed", retryable: false, report: null, message: expect.stringMatching(message) };
    for (const opts of [[], ["-v", "--out-format=%n"], ["--exclude=nothing"], ["--include=*"]]) {
      const carried = { deleted: ["b", "dir/c", "dir/d"], changed: ["new"] };
      await expect(sync.carry(carried, { ...options, watch, action: { opts } }).outcome).resolves.toMatchObject(
        refused,
      );
      await expect(sync.full({ ...options, watch, action: { opts } }).outcome).resolves.toMatchObject(refused);
    }
    const { outcome } = sync.full({ ...options, action: { rsync: { archive: true, delete: true } }, dryRun: true });
    await expect(outcome).resolves.toMatchObject(refused);
    expect(await filesOf(sync.dest)).toEqual(precious);
  });

  it.each([{ maxDelete: 3 }, { maxDeletePercent: 75 }])("may lose as much as %j allows", async (guard) => {
    for (const name of ["b", "dir/c", "dir/d"]) await rm(join(sync.source, name));
    const deleted = ["b", "dir/c", "dir/d"];
    await expect(sync.carry({ deleted }, { watch, guard }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["a", "dir/"]);
    await sync.fill("dest", deleted);
    await expect(sync.full({ watch, guard }).outcome).resolves.toMatchObject({ kind: "ok" });
    expect(await filesOf(sync.dest)).toEqual(["a", "dir/"]);
  });

  it("loses nothing when the deletions cannot be counted", async () => {
    await rm(join(sync.source, "a"));
    const { outcome } = sync.full({ watch, guard: { maxDelete: 5 }, action: { opts: ["-q"] } });
    await expect(outcome).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("what the sync would delete could not be counted"),
    });
    expect(await filesOf(sync.dest)).toEqual(precious);
  });

  it("loses in a complete sync what the source does not have, if deleting is asked for there", async () => {
    await rm(join(sync.source, "a"));
    await sync.full().outcome;
    expect(await filesOf(sync.dest)).toEqual(precious);
    const { outcome, argv } = sync.full({ watch });
    await expect(outcome).resolves.toMatchObject({ kind: "ok" });
    expect(argv).toContain("--delete-delay");
    expect(await filesOf(sync.dest)).toEqual(["b", "dir/c", "dir/d"]);
  });
});
