import { chmodSync, writeFileSync } from "node:fs";
import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";
import { watchTree, type WatchedTree } from "../support/watched-tree.ts";

const soon = { timeout: 30_000, interval: 20 };
const hearsEverything = (tree: WatchedTree, reason: string) =>
  vi.waitFor(() => expect(tree.everything.join("\n")).toContain(reason), soon);
const isDegraded = (tree: WatchedTree, how: string) =>
  vi.waitFor(() => expect(tree.states.at(-1)?.degraded).toContain(how), soon);
const isWhole = (tree: WatchedTree) =>
  vi.waitFor(() => expect(tree.watcher.state()).toMatchObject({ watching: true, degraded: null }), soon);

describe("a root", () => {
  it("that is deleted and made again is watched again, after a complete sync, and nothing is deleted", async () => {
    const tree = await watchTree(await makeTempDir(), {
      prepare: (source) => mkdir(join(source, "a/b"), { recursive: true }),
    });
    await rename(tree.source, `${tree.source}.away`);
    await isDegraded(tree, "is not there");
    expect(tree.states.at(-1)?.watching).toBe(false);
    expect(tree.changes).toEqual([]);
    await mkdir(tree.source);
    await writeFile(join(tree.source, "new"), "1");
    await hearsEverything(tree, "is back");
    await isWhole(tree);
    await writeFile(join(tree.source, "later"), "2");
    await tree.hears("changed", "later");
    expect(tree.changes.filter(({ kind }) => kind === "deleted")).toEqual([]);
    expect(tree.log.messages("warn")).toEqual(["directory is not watched completely"]);
  });

  it("that is deleted with all it has is not taken for an empty one", async () => {
    const tree = await watchTree(await makeTempDir(), { prepare: (source) => writeFile(join(source, "file"), "1") });
    await rm(tree.source, { recursive: true });
    await isDegraded(tree, "is not there");
    // The file may have been seen to go before the directory did.
    expect(tree.changes.filter(({ path }) => path === tree.source)).toEqual([]);
  });

  it("that another directory takes the place of is synced completely", async () => {
    const place = await makeTempDir();
    const tree = await watchTree(place, { prepare: (source) => writeFile(join(source, "old"), "1") });
    await mkdir(join(place, "other"));
    await writeFile(join(place, "other", "new"), "1");
    await rename(tree.source, join(place, "away"));
    await rename(join(place, "other"), tree.source);
    await vi.waitFor(() => expect(tree.everything).toHaveLength(1), soon);
    await writeFile(join(tree.source, "later"), "2");
    await tree.hears("changed", "later");
    await writeFile(join(place, "away", "unseen"), "3");
    await tree.becomesEqual();
    expect(tree.changes.some(({ path }) => path.endsWith("unseen"))).toBe(false);
  });

  it("that is not there at first is watched from when it is", async () => {
    const place = await makeTempDir();
    const tree = await watchTree(place, {
      root: join(place, "source"),
      prepare: (source) => rm(source, { recursive: true }),
    });
    expect(tree.watcher.state()).toMatchObject({ watching: false });
    await mkdir(join(tree.source, "a"), { recursive: true });
    await hearsEverything(tree, "is back");
    await writeFile(join(tree.source, "a", "file"), "1");
    await tree.hears("changed", "a/file");
  });

  it("that is a link is followed, under its own name, also to where it leads later", async () => {
    const place = await makeTempDir();
    for (const release of ["one", "two"]) {
      await mkdir(join(place, release));
      await writeFile(join(place, release, "file"), release);
    }
    await symlink("one", join(place, "current"));
    const tree = await watchTree(place, { root: join(place, "current") });
    await writeFile(join(place, "one", "more"), "1");
    await tree.hears("changed", "more");
    await symlink("two", join(place, "next"));
    await rename(join(place, "next"), join(place, "current"));
    await hearsEverything(tree, "another directory");
    await writeFile(join(place, "two", "later"), "1");
    await tree.hears("changed", "later");
    await tree.becomesEqual();
    expect(tree.changes.filter(({ kind }) => kind === "deleted")).toEqual([]);
  });
});

/** root may read everything: it does not count while this runs. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

it("names directories that cannot be read, and watches them when they can be", async () => {
  const place = await makeTempDir();
  await chmod(place, 0o777);
  await asNobody(async () => {
    const tree = await watchTree(place, {
      rescanMs: 50,
      prepare: async (source) => {
        await mkdir(join(source, "open"));
        await mkdir(join(source, "closed/inner"), { recursive: true });
        await chmod(join(source, "closed"), 0);
      },
    });
    expect(tree.watcher.state()).toMatchObject({ watching: true, directories: 2, unwatched: 1 });
    expect(tree.watcher.state().degraded).toContain(`${tree.source}/closed (EACCES)`);
    await writeFile(join(tree.source, "open", "file"), "1");
    await tree.hears("changed", "open/file");
    await chmod(join(tree.source, "closed"), 0o755);
    await tree.hears("tree", "closed");
    await isWhole(tree);
    await writeFile(join(tree.source, "closed/inner/file"), "1");
    await tree.hears("changed", "closed/inner/file");
    expect(tree.changes.filter(({ path, kind }) => kind === "tree" && path.endsWith("closed"))).toHaveLength(1);
    // What has happened in there is looked at when that cannot be done any more.
    writeFileSync(join(tree.source, "closed/inner/file"), "2");
    chmodSync(join(tree.source, "closed"), 0);
    await hearsEverything(tree, "closed/inner/file cannot be looked at (EACCES)");
    await rm(join(tree.source, "open"), { recursive: true });
    await tree.hears("deleted", "open");
    await chmod(join(tree.source, "closed"), 0o755);
  });
});

it("says that something changed where the name cannot be listed, and watches such directories", async () => {
  const place = await makeTempDir();
  const tree = await watchTree(place);
  const strange = Buffer.concat([Buffer.from(`${tree.source}/`), Buffer.from([0xff, 0x2f])]);
  await mkdir(strange);
  await hearsEverything(tree, `${tree.source}/\\xff changed, and its name cannot be listed`);
  const before = tree.everything.length;
  await writeFile(Buffer.concat([strange, Buffer.from("file")]), "1");
  await vi.waitFor(() => expect(tree.everything.length).toBeGreaterThan(before), soon);
  await writeFile(join(tree.source, "plain"), "1");
  await tree.hears("changed", "plain");
});

it("watches only what its filter lets through", async () => {
  const tree = await watchTree(await makeTempDir(), {
    filter: { extensions: [".txt"], exclude: ["/cache/", "old.*"] },
    prepare: async (source) => {
      await mkdir(join(source, "cache/deep"), { recursive: true });
      await mkdir(join(source, "kept"));
    },
  });
  expect(tree.watcher.state().directories).toBe(2);
  for (const path of ["cache/a.txt", "kept/a.bin", "kept/old.txt", "b.bin"])
    await writeFile(join(tree.source, path), "");
  await mkdir(join(tree.source, "kept/cache"));
  await rm(join(tree.source, "cache"), { recursive: true });
  await rm(join(tree.source, "b.bin"));
  await writeFile(join(tree.source, "kept/a.txt"), "");
  await tree.hears("changed", "kept/a.txt");
  await rm(join(tree.source, "kept"), { recursive: true });
  await tree.hears("deleted", "kept");
  const reported = new Set(tree.changes.map(({ path }) => path.slice(tree.source.length)));
  expect(reported).toEqual(new Set(["/kept/cache", "/kept/a.txt", "/kept"]));
});

it("says nothing after it was closed", async () => {
  const tree = await watchTree(await makeTempDir(), { prepare: (source) => mkdir(join(source, "a")) });
  expect(tree.watcher.state().directories).toBe(2);
  await writeFile(join(tree.source, "a", "file"), "1");
  await tree.watcher.close();
  const before = tree.changes.length;
  await writeFile(join(tree.source, "a", "other"), "1");
  await new Promise((resolve) => setImmediate(resolve));
  expect(tree.changes).toHaveLength(before);
  expect(tree.watcher.state().directories).toBe(0);
});

it("ends while it begins, and keeps no watch", async () => {
  const tree = await watchTree(await makeTempDir(), {
    isStarting: true,
    prepare: async (source) => {
      for (let n = 0; n < 200; n += 1) await mkdir(join(source, `${n}`, "inside"), { recursive: true });
    },
  });
  expect(tree.watcher.state().directories).toBeLessThan(401);
  await tree.watcher.close();
  await tree.started;
  expect(tree.watcher.state()).toMatchObject({ watching: false, directories: 0 });
});
