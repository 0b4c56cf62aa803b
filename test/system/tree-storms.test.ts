import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { compareTrees } from "../support/compare-trees.ts";
import { newSeed, randomFrom } from "../support/random.ts";
import { randomStorm } from "../support/random-storm.ts";
import { startStormWriters } from "../support/storm-writers.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import * as storms from "../support/tree-storms.ts";

async function makePlace(): Promise<storms.StormPlace> {
  const directory = await makeTempDir();
  const place = { tree: join(directory, "tree"), aside: join(directory, "aside") };
  for (const path of Object.values(place)) await mkdir(path);
  return place;
}

const all: Record<string, storms.Storm> = {
  makeDirectoryChains: storms.makeDirectoryChains,
  copyTree: storms.copyTree({ files: 100, directories: 10 }),
  moveTreesInAndOut: storms.moveTreesInAndOut,
  renameOver: storms.renameOver,
  deleteAndRecreate: storms.deleteAndRecreate,
  checkOutVersions: storms.checkOutVersions,
  untarSources: storms.untarSources,
  useOddNames: storms.useOddNames,
};

describe("the storms of the tests", () => {
  it.each(Object.entries(all))("can be copied by rsync when they are over: %s", async (_, storm) => {
    const place = await makePlace();
    await storm(place, randomFrom(1));
    expect((await readdir(place.tree)).length).toBeGreaterThan(0);
    await execa("rsync", ["-a", `${place.tree}/`, join(place.aside, "target")]);
    expect(compareTrees(place.tree, join(place.aside, "target"), { mtimes: "all" })).toEqual([]);
    await storms.emptyDirectory(place, Math.random);
    expect(await readdir(place.tree)).toEqual([]);
  });

  it("are the same at random for one seed, but for the times, and hit upon every kind of change", async () => {
    const seed = newSeed();
    console.log(`random storm: seed ${seed} (RANDOM_SEED=${seed} repeats it)`);
    const [one, two] = [await makePlace(), await makePlace()];
    const steps = await randomStorm(seed).steps(one, 600);
    expect(await randomStorm(seed).steps(two, 600)).toEqual(steps);
    expect(compareTrees(one.tree, two.tree)).toEqual([]);
    expect(new Set(steps).size).toBeGreaterThan(20);
  });

  it("go on writing until they are stopped", async () => {
    const { tree } = await makePlace();
    const writers = startStormWriters(tree, 3);
    while (writers.writes < 30) await new Promise((resolve) => setImmediate(resolve));
    await writers.stop();
    const { writes } = writers;
    expect((await readdir(tree)).toSorted()).toEqual(
      ["log", "saved", "state"].flatMap((name) => [0, 1, 2].map((number) => `${name}${number}`)),
    );
    expect(writers.writes).toBe(writes);
  });
});
