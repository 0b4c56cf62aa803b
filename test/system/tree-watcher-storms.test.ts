import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { projectFiles, projectRoot } from "../support/project-files.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { createRandomOperations } from "../support/random-operations.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { mountTmpfs } from "../support/tmpfs.ts";
import { watchTree } from "../support/watched-tree.ts";

const sh = (cwd: string, script: string, ...args: string[]) =>
  execa("/bin/sh", ["-ec", script, "sh", ...args], { cwd });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Makes directories with files in them. */
function fill(root: string, directories: number, filesEach: number): void {
  for (let d = 0; d < directories; d += 1) {
    const directory = join(root, `${d % 20}`, `${d}`);
    mkdirSync(directory, { recursive: true });
    for (let f = 0; f < filesEach; f += 1) writeFileSync(join(directory, `${f}`), `${d} ${f}`);
  }
}

it("reports a copy of 4000 files in 200 directories, and their later changes", async () => {
  const place = await makeTempDir();
  fill(join(place, "origin"), 200, 20);
  const tree = await watchTree(place);
  await tree.carriesAfter(() => sh(tree.source, "cp -r ../origin copy"));
  await tree.becomesEqual();
  await tree.carriesAfter(() =>
    sh(tree.source, "find copy -name 7 -type f -exec sh -c 'for f; do echo later >> $f; done' - {} +"),
  );
  await tree.becomesEqual();
  await tree.carriesAfter(() => sh(tree.source, "rm -r copy/3 copy/4; mv copy/5 moved; rm -r copy/6/*"));
  await tree.becomesEqual();
  await tree.carriesAfter(() => sh(tree.source, "rm -r copy"));
  await tree.becomesEqual();
  expect(tree.everything).toEqual([]);
});

it("follows checkouts of two versions of a repository, and the repository itself", async () => {
  const place = await makeTempDir();
  const repository = join(place, "repository");
  const git = (...args: string[]) =>
    execa("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  for (const path of projectFiles().filter((file) => /^(src|test|docs)\//.test(file))) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    copyFileSync(join(projectRoot, path), join(repository, path));
  }
  await git("init", "-q");
  await git("add", "-A");
  await git("commit", "-qm", "one");
  await git("branch", "one");
  await sh(
    repository,
    "mv src/lock src/locks; rm -r test/unit; mv test/support src; mkdir test/unit; mv docs test/unit",
  );
  await sh(repository, "rm -r src/run; echo file > src/run; for f in src/base/*; do echo more >> $f; done");
  await git("add", "-A");
  await git("commit", "-qm", "two");
  await git("branch", "two");

  const tree = await watchTree(place, { root: repository });
  for (const branch of ["one", "two", "one", "two"]) {
    await tree.carriesAfter(() => git("checkout", "-q", branch));
    await tree.becomesEqual();
  }
  await tree.carriesAfter(async () => {
    await git("checkout", "-q", "one");
    await git("checkout", "-q", "two");
  });
  await tree.becomesEqual();
  expect(tree.everything).toEqual([]);
});

it("follows archives that are unpacked over one another", async () => {
  const place = await makeTempDir();
  fill(join(place, "one"), 100, 10);
  fill(join(place, "two"), 60, 15);
  await sh(place, "tar -cf one.tar -C one .; tar -cf two.tar -C two .");
  const tree = await watchTree(place);
  await tree.carriesAfter(() => sh(tree.source, "tar -xf ../one.tar"));
  await tree.carriesAfter(() => sh(tree.source, "tar -xf ../two.tar; tar --recursive-unlink -xf ../one.tar"));
  await tree.becomesEqual();
  expect(tree.everything).toEqual([]);
});

const writers = (directory: string) => {
  const script =
    "for n in $(seq 120); do mkdir -p $1/$((n % 7))/$n; echo $n > $1/$((n % 7))/$n/f; echo $n >> $1/log; mv $1/$((n % 7))/$n $1/m$n; rm -rf $1/m$((n - 5)); done";
  return Promise.all([1, 2, 3, 4].map((writer) => sh(directory, script, `w${writer}`)));
};

it("follows writers that do not pause", async () => {
  const tree = await watchTree(await makeTempDir());
  await tree.carriesAfter(() => writers(tree.source));
  await tree.becomesEqual();
  expect(tree.everything).toEqual([]);
});

it("misses nothing that is written while it is carried", async () => {
  const tree = await watchTree(await makeTempDir());
  await writers(tree.source);
  // What is carried before its directory is watched, and goes in between, stays at the target.
  await tree.becomesEqual({ mayHaveMore: true });
  expect(tree.everything).toEqual([]);
});

describe.each(["disk", "tmpfs"])("random operations on %s", (kind) => {
  it.for([1, 2, 3, 4])("lead to the same tree (%i)", async (_, { skip }) => {
    const seed = newSeed();
    console.log(`RANDOM_SEED=${seed}`);
    const random = randomFrom(seed);
    const mounted = kind === "disk" ? { directory: await makeTempDir() } : await mountTmpfs("size=64m");
    if (!("directory" in mounted)) return skip(mounted.why);
    const place = mounted.directory;
    await mkdir(join(place, "outside"));
    const tree = await watchTree(place);
    const operate = createRandomOperations(tree.source, join(place, "outside"), random);
    for (let round = 0; round < 15; round += 1) {
      await tree.carriesAfter(async () => {
        for (let step = 0; step < 60; step += 1) {
          operate();
          // Sometimes many things happen in one turn, sometimes each is seen alone, or in the middle of a look.
          for (let turns = Math.floor(random() * 6) - 2; turns > 0; turns -= 1) await nextTurn();
        }
      });
      await tree.becomesEqual();
    }
    expect(tree.everything).toEqual([]);
  });
});
