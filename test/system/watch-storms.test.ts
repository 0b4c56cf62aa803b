import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execa } from "execa";
import { newSeed, randomFrom } from "../support/random.ts";
import { randomStorm } from "../support/random-storm.ts";
import { waitUntil } from "../support/process-state.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { startStormWriters } from "../support/storm-writers.ts";
import * as storms from "../support/tree-storms.ts";
import { makeWatchingInstance, withWatchLimit } from "../support/watching-instance.ts";

let backup: TestSshd;
beforeAll(async () => void (backup = await startSshd()));
afterAll(() => backup.stop());

const rules = { mtimes: "files", timeoutMs: 120_000 } as const;
const one = () => [{ id: "one", sshd: backup }];

const named: Record<string, storms.Storm> = {
  "chains of directories": storms.makeDirectoryChains,
  "cp -r of 10,000 files in 200 directories": storms.copyTree({ files: 10_000, directories: 200 }),
  "trees moved in and out": storms.moveTreesInAndOut,
  "saves by renaming": storms.renameOver,
  "names deleted and made again": storms.deleteAndRecreate,
  "git checkout of two versions in turns": storms.checkOutVersions,
  "sources out of an archive": storms.untarSources,
  "odd names": storms.useOddNames,
};

describe("a watched tree after a storm", () => {
  it.each(Object.entries(named))("is equal at its target: %s", async (_, storm) => {
    const instance = await makeWatchingInstance({ targets: one() });
    await instance.startAndSync();
    await storm(instance.place, randomFrom(1));
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
    expect(await instance.isDegraded()).toBe(false);
  });

  it("is equal after storms at random, one upon the other while it syncs", async () => {
    const instance = await makeWatchingInstance({ targets: one() });
    await instance.startAndSync();
    const seed = newSeed();
    console.log(`random storms: seed ${seed} (RANDOM_SEED=${seed} repeats them)`);
    for (let round = 0; round < 8; round += 1) {
      const storm = randomStorm(seed + round);
      for (let burst = 0; burst < 6; burst += 1) await storm.steps(instance.place, 60);
      // Half of the rounds begin while what came before is still being carried.
      if (round % 2 === 0) await instance.untilArrived(rules);
    }
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
    expect(await instance.isDegraded()).toBe(false);
  });

  it("is equal when writers went on during the syncs", async () => {
    const instance = await makeWatchingInstance({ targets: one() });
    const director = await instance.startAndSync();
    const since = director.lines.length;
    const writers = startStormWriters(instance.place.tree, 4);
    const runs = () => director.lines.slice(since).filter(({ msg }) => msg === "run finished").length;
    // `max_delay` lets it begin although there is never a quiet time.
    await waitUntil("three syncs while they write", () => runs() >= 3);
    const { writes } = writers;
    await waitUntil("they still write", () => writers.writes > writes);
    await writers.stop();
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
    expect(await instance.isDegraded()).toBe(false);
  });
});

describe("a watch that cannot tell all", () => {
  it("finds out by a complete sync what it missed when the kernel's queue overflowed", async () => {
    const instance = await makeWatchingInstance({ targets: one() });
    await storms.writeSmallFiles(instance.place.tree, { files: 400, directories: 20 }, Math.random);
    const director = await instance.startAndSync();
    const queue = Number((await execa("cat", ["/proc/sys/fs/inotify/max_queued_events"])).stdout);
    // It reads no events while it is stopped.
    director.signal("SIGSTOP");
    try {
      const files = Math.ceil(queue / 2) + 2000;
      await storms.writeSmallFiles(instance.place.tree, { files, directories: 20 }, Math.random);
      await writeFile(join(instance.place.tree, "d7", "last of all"), "not in the queue any more\n");
    } finally {
      director.signal("SIGCONT");
    }
    await instance.untilArrived(rules);
    await instance.untilNothingPending();
    expect(existsSync(join(instance.dest("one"), "d7", "last of all"))).toBe(true);
  });

  it("says that it is degraded and syncs all from time to time where the user may have 500 watches", async (context) => {
    const inside = withWatchLimit(500);
    const { exitCode, stderr } = await execa(inside[0] ?? "", [...inside.slice(1), "true"], { reject: false });
    if (exitCode !== 0) context.skip(`no user namespace with a watch limit: ${stderr}`);
    const instance = await makeWatchingInstance({ targets: one(), watch: { full_sync_interval: "3s" } });
    const many = { files: 2000, directories: 1000 };
    await storms.writeSmallFiles(instance.place.tree, many, Math.random);
    const director = await instance.startAndSync({ inside });
    await waitUntil("the metric says so", () => instance.isDegraded());
    expect(
      director.lines.some(({ level, msg }) => ["warn", "error"].includes(String(level)) && msg.includes("watch")),
    ).toBe(true);
    await storms.writeSmallFiles(instance.place.tree, many, Math.random);
    await instance.untilArrived(rules);
  });
});

describe("what was not to be deleted", () => {
  it("is still at the target with `delete: off`, with everything that was deleted here", async () => {
    const instance = await makeWatchingInstance({ targets: one(), watch: { delete: "off" } });
    await storms.writeSmallFiles(join(instance.place.tree, "goes"), { files: 50, directories: 5 }, Math.random);
    await instance.startAndSync();
    await rm(join(instance.place.tree, "goes"), { recursive: true });
    await storms.renameOver(instance.place, randomFrom(1));
    await instance.untilArrived({ ...rules, rightMayHaveMore: true });
    await instance.untilNothingPending();
    expect(existsSync(join(instance.dest("one"), "goes/d4/f49"))).toBe(true);
  });

  it("is still at the target with `delete: watch` when it was never here", async () => {
    const instance = await makeWatchingInstance({ targets: one(), watch: { delete: "watch" } });
    await storms.writeSmallFiles(join(instance.place.tree, "goes"), { files: 50, directories: 5 }, Math.random);
    await writeFile(join(instance.dest("one"), "only there"), "");
    await instance.startAndSync();
    await rm(join(instance.place.tree, "goes"), { recursive: true });
    await storms.deleteAndRecreate(instance.place, randomFrom(1));
    await instance.untilArrived({ ...rules, except: (path) => path === "only there" });
    expect(existsSync(join(instance.dest("one"), "only there"))).toBe(true);
  });
});
