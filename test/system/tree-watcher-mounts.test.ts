import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it, onTestFinished, vi } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";
import { watchTree, type WatchedTree } from "../support/watched-tree.ts";

const soon = { timeout: 30_000, interval: 20 };
const hearsOfMounts = (tree: WatchedTree, times: number) =>
  vi.waitFor(
    () => expect(tree.everything.filter((reason) => reason.includes("mounted or unmounted")).length).toBe(times),
    soon,
  );
const deletions = (tree: WatchedTree) => tree.changes.filter(({ kind }) => kind === "deleted");

/** Mounts something at `point` until the test ends; why not, where this process may not. */
async function mount(point: string, ...how: string[]): Promise<string | null> {
  const { exitCode, stderr } = await execa("mount", [...how, point], { reject: false });
  if (exitCode !== 0) return `this process may not mount: ${stderr}`;
  onTestFinished(async () => void (await execa("umount", ["--lazy", point], { reject: false })));
  return null;
}

const unmount = (point: string) => execa("umount", [point]);
const tmpfs = ["-t", "tmpfs", "-o", "size=1m", "tmpfs"];

const prepare = async (source: string) => {
  await mkdir(join(source, "sub/deep"), { recursive: true });
  for (const path of ["one", "sub/two", "sub/deep/three"]) await writeFile(join(source, path), path);
};

it.for(["", "sub"])(
  "a file system that is mounted over %j is not taken for deletions, nor is its end",
  async (where, { skip }) => {
    const tree = await watchTree(await makeTempDir(), { rescanMs: 50, prepare });
    const point = join(tree.source, where);
    const refused = await mount(point, ...tmpfs);
    if (refused !== null) return skip(refused);
    await hearsOfMounts(tree, 1);
    await writeFile(join(point, "inside"), "1");
    await tree.hears("changed", join(where, "inside"));
    await tree.becomesEqual();
    await unmount(point);
    await hearsOfMounts(tree, 2);
    await tree.becomesEqual();
    await writeFile(join(point, "deep-or-not"), "1");
    await tree.hears("changed", join(where, "deep-or-not"));
    expect(deletions(tree)).toEqual([]);
  },
);

it.for([
  ["at once", false],
  ["lazily", true],
] as const)(
  "a disk whose files are deleted while it is unmounted %s loses none at the target by it",
  async ([, isLazy], { skip }) => {
    const place = await makeTempDir();
    await mkdir(join(place, "source/disk"), { recursive: true });
    const refused = await mount(join(place, "source/disk"), ...tmpfs);
    if (refused !== null) return skip(refused);
    // Only what is heard counts: the mounts are not looked at by themselves for an hour.
    const tree = await watchTree(place, { rescanMs: 3_600_000, prepare: (source) => prepare(join(source, "disk")) });
    const before = tree.everything.length;
    if (!isLazy) await unmount(join(place, "source/disk"));
    else
      await execa("/bin/sh", [
        "-ec",
        'cd "$1"; umount --lazy "$1"; rm one; rm -r sub',
        "sh",
        join(place, "source/disk"),
      ]);
    await vi.waitFor(() => expect(tree.everything.length).toBeGreaterThan(before), soon);
    expect(tree.everything[before]).toContain("mounted or unmounted");
    expect(deletions(tree)).toEqual([]);
  },
);

it("a root whose disk is unmounted is watched as what it is then", async ({ skip }) => {
  const place = await makeTempDir();
  await mkdir(join(place, "source"));
  const refused = await mount(join(place, "source"), ...tmpfs);
  if (refused !== null) return skip(refused);
  const tree = await watchTree(place, { rescanMs: 3_600_000, prepare });
  await unmount(tree.source);
  await hearsOfMounts(tree, 1);
  await writeFile(join(tree.source, "on the disk below"), "1");
  await tree.hears("changed", "on the disk below");
  expect(deletions(tree)).toEqual([]);
});

it("another directory that is bound over one is not taken for deletions", async ({ skip }) => {
  const place = await makeTempDir();
  await prepare(join(place, "other"));
  const tree = await watchTree(place, { rescanMs: 50, prepare });
  const refused = await mount(join(tree.source, "sub"), "--bind", join(place, "other"));
  if (refused !== null) return skip(refused);
  await hearsOfMounts(tree, 1);
  await unmount(join(tree.source, "sub"));
  await hearsOfMounts(tree, 2);
  await tree.becomesEqual();
  expect(deletions(tree)).toEqual([]);
});

it.for(["", "sub"])(
  "a disk at %j that is away for less than a look at it is watched as before",
  async (where, { skip }) => {
    const place = await makeTempDir();
    const disk = join(place, "disk");
    await mkdir(disk);
    const refused = await mount(disk, ...tmpfs);
    if (refused !== null) return skip(refused);
    const point = join(place, "source", where);
    for (const path of ["lower", "upper", "work"].map((name) => join(disk, name))) await mkdir(path);
    await mkdir(point, { recursive: true });
    // Unlike a tmpfs it is the same again when it comes back: what was mounted cannot be told from what is.
    const layers = `lowerdir=${disk}/lower,upperdir=${disk}/upper,workdir=${disk}/work`;
    const overlay = ["-t", "overlay", "-o", layers, "overlay"];
    const cannot = await mount(point, ...overlay);
    if (cannot !== null) return skip(cannot);
    const tree = await watchTree(place, { rescanMs: 3_600_000, prepare: () => prepare(point) });
    // The watcher cannot look before the disk is back.
    execFileSync("/bin/sh", ["-ec", 'umount "$1"; point=$1; shift; mount "$@" "$point"', "sh", point, ...overlay]);
    await writeFile(join(point, "one"), "changed");
    await tree.becomesEqual();
    await writeFile(join(point, "sub/deep/three"), "changed later");
    await tree.becomesEqual();
    expect(deletions(tree)).toEqual([]);
  },
);
