import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rm } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { newSeed, randomFrom } from "../support/random.ts";
import { createRandomTree, filesBelow } from "../support/random-tree.ts";
import type { Files } from "../support/random-tree.ts";
import { findRsyncVersions } from "../support/rsync-versions.ts";
import { makeWatchedSync } from "../support/watched-sync.ts";
import type { ChangeKind } from "../../src/model/changes.ts";

const { versions, missing, directory: unpacked } = await findRsyncVersions();
afterAll(() => rm(unpacked, { recursive: true, force: true }));
if (missing !== undefined) console.log(`SKIPPED the rsync that is not here: ${missing}`);

const seed = newSeed();
const rounds = 6;

interface Rules {
  readonly opts: readonly string[];
  readonly extensions?: readonly string[];
  readonly includes: (path: string) => boolean;
  readonly descends: (directory: string) => boolean;
}

/** No rule is about the name x. */
const rulesOf = (opts: readonly string[], includes: Rules["includes"]): Rules => ({
  opts,
  includes,
  descends: (directory) => includes(`${directory}/x`),
});

const ruleSets: Readonly<Record<string, Rules>> = {
  "no filters": rulesOf([], () => true),
  excludes: rulesOf(["--exclude=*.tmp", "--exclude=skip/"], (path) => {
    const names = path.split("/");
    return names.every((name, index) => !name.endsWith(".tmp") && (name !== "skip" || index === names.length - 1));
  }),
  "includes and excludes": rulesOf(["--include=/a/f.tmp", "--exclude=*.tmp"], (path) => {
    return !path.replace(/^a\/f\.tmp(?=\/|$)/, "").includes(".tmp");
  }),
  extensions: {
    opts: [],
    extensions: ["b", ".tmp"],
    includes: (path) => /(?:b|\.tmp)$/.test(path),
    descends: () => true,
  },
};

/** What the target has to hold: the changes carried out path by path, in memory. */
function carryInMemory(
  target: Files,
  told: ReadonlyMap<string, ChangeKind>,
  now: ReturnType<typeof createRandomTree>,
  { includes, descends }: Rules,
): Files {
  const expected = new Map(target);
  const below = (path: string) => [...expected.keys()].filter((key) => key === path || key.startsWith(`${path}/`));
  const source = now.files();
  for (const [path, kind] of told) {
    const parts = path.split("/");
    const inTheWay = parts
      .map((_, index) => parts.slice(0, index + 1).join("/"))
      .find((part) => now.kindOf(part) === "file");
    const gone = inTheWay ?? path;
    if (kind !== "deleted" || now.kindOf(gone) === "directory") continue;
    for (const key of below(gone)) if (includes(key)) expected.delete(key);
    // The directories above a deleted path are made, in the place of a file too.
    for (let above = dirname(path); above !== "."; above = dirname(above)) {
      if (now.kindOf(above) === "directory" && descends(above)) expected.delete(above);
    }
  }
  for (const [path] of told) {
    // A directory that is copied takes the place of a file, even if nothing in it is copied.
    if (now.kindOf(path) === "directory" && includes(`${path}/x`)) expected.delete(path);
    for (const [key, content] of source) {
      const isTold = key === path || (key.startsWith(`${path}/`) && told.get(path) !== "changed");
      if (!isTold || !includes(key)) continue;
      for (const old of below(key)) expected.delete(old);
      const parts = key.split("/");
      for (let length = 1; length < parts.length; length += 1) expected.delete(parts.slice(0, length).join("/"));
      expected.set(key, content);
    }
  }
  return expected;
}

describe.each(versions)(`random changes with rsync $version (RANDOM_SEED=${seed})`, ({ bin }) => {
  it.each(Object.entries(ruleSets))("lead to the same target as in memory: %s", async (_name, rules) => {
    const { opts, extensions = [] } = rules;
    const random = randomFrom(seed);
    for (let round = 0; round < rounds; round += 1) {
      const sync = await makeWatchedSync(join(bin, "rsync"));
      const tree = createRandomTree(sync.source, random);
      const action = { opts, extensions };
      for (let step = 0; step < 30; step += 1) tree.step();
      // Never empty, so that the guard lets everything through.
      writeFileSync(join(sync.source, "stays"), "");
      await sync.full({ action }).outcome;
      for (const name of ["only/x", "a/only", "only.tmp"]) {
        if (tree.kindOf(dirname(name)) === "file") continue;
        mkdirSync(dirname(join(sync.dest, name)), { recursive: true });
        writeFileSync(join(sync.dest, name), "only there");
      }
      const before = filesBelow(sync.dest);
      tree.told.clear();
      for (let step = 0; step < 20; step += 1) tree.step();
      const expected = carryInMemory(before, tree.told, tree, rules);
      const changes: Record<ChangeKind, string[]> = { changed: [], tree: [], deleted: [] };
      for (const [path, kind] of tree.told) changes[kind].push(path);
      const { outcome, reasons } = sync.carry(changes, { action, watch: { deleteWatched: true } });
      await expect(outcome, `round ${round}`).resolves.toMatchObject({ kind: "ok" });
      expect(reasons).toEqual([]);
      expect(Object.fromEntries(filesBelow(sync.dest)), `round ${round}`).toEqual(Object.fromEntries(expected));
      rmSync(sync.directory, { recursive: true });
    }
  });
});
