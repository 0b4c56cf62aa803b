import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** Makes a repository of two versions beside the tree, clones it into the tree, and checks both out in turns. */
export async function checkOutInTurns(place: { tree: string; aside: string }, random: () => number): Promise<void> {
  const origin = join(place.aside, "origin");
  await rm(origin, { recursive: true, force: true });
  await makeRepository(origin, random);
  const clone = join(place.tree, "clone");
  await rm(clone, { recursive: true, force: true });
  await git(place.tree, "clone", "--quiet", `file://${origin}`, clone);
  for (const version of ["one", "two", "one", "two"]) await git(clone, "checkout", "--quiet", version);
}

/** Between the versions `one` and `two` files are changed, added, removed and moved, and a directory becomes a file. */
async function makeRepository(path: string, random: () => number): Promise<void> {
  await mkdir(path, { recursive: true });
  await git(path, "init", "--quiet");
  for (let file = 0; file < 300; file += 1)
    await writeText(join(path, `src/part${file % 15}`), `file${file}.txt`, random);
  await writeText(join(path, "becomes-a-file"), "inner.txt", random);
  await commit(path, "one");
  for (let file = 0; file < 300; file += 3)
    await writeText(join(path, `src/part${file % 15}`), `file${file}.txt`, random);
  for (let file = 0; file < 60; file += 1)
    await writeText(join(path, `new/part${file % 6}`), `file${file}.txt`, random);
  await git(path, "rm", "--quiet", "-r", "src/part1", "becomes-a-file");
  await writeFile(join(path, "becomes-a-file"), "a file now\n");
  await git(path, "mv", "src/part2", "src/moved");
  await commit(path, "two");
}

async function writeText(directory: string, name: string, random: () => number): Promise<void> {
  await mkdir(directory, { recursive: true });
  const lines = Array.from({ length: 5 + Math.floor(random() * 40) }, (_, line) => `line ${line}: ${random()}`);
  await writeFile(join(directory, name), `${lines.join("\n")}\n`);
}

async function commit(path: string, version: string): Promise<void> {
  await git(path, "add", "--all");
  await git(path, "commit", "--quiet", "--message", `Version ${version}`);
  await git(path, "tag", version);
}

/** Without the configuration and the hooks of whoever runs the tests. */
async function git(cwd: string, ...args: string[]): Promise<void> {
  const settings = {
    "user.name": "Test",
    "user.email": "test@example.org",
    "init.defaultBranch": "main",
    "gc.auto": "0",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const env = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  await execa("git", [...options, "-c", "advice.detachedHead=false", ...args], { cwd, env });
}
