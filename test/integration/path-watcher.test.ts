import { writeFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { PathChange } from "../../src/model/changes.ts";
import { createInotifyLedger } from "../../src/watch/inotify-ledger.ts";
import { createPathWatcher } from "../../src/watch/path-watcher.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";
import type { TreeWatchState } from "../../src/watch/watch-state.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const soon = { timeout: 30_000, interval: 20 };

async function watchPath(root: string, { exclude = [] as string[], rescanMs = 30_000 } = {}) {
  const changes: PathChange[] = [];
  const everything: string[] = [];
  const states: TreeWatchState[] = [];
  const ledger = createInotifyLedger();
  const held = { watches: 0, onOpened: () => undefined as void };
  const watcher = createPathWatcher({
    root,
    filter: createWatchFilter({ extensions: [], include: [], exclude }),
    ledger: {
      ...ledger,
      opened: () => {
        ledger.opened();
        held.watches += 1;
        held.onOpened();
      },
      closed: () => {
        ledger.closed();
        held.watches -= 1;
      },
    },
    onChanges: (list) => changes.push(...list),
    onEverything: (reason) => everything.push(reason),
    onState: (state) => states.push(state),
    clock: systemClock,
    log: createMemoryLog(),
    rescanMs,
  });
  onTestFinished(() => watcher.close());
  await watcher.start();
  return {
    ...{ watcher, changes, everything, states, held },
    /** Resolves when this is the last news; the same may be told more than once. */
    hears: (change: PathChange) => vi.waitFor(() => expect(changes.at(-1)).toEqual(change), soon),
    /** Resolves when everything is said to have changed for this reason, and all of it is watched. */
    hearsEverything: (reason: string) =>
      vi.waitFor(() => {
        expect(everything.join("\n")).toContain(reason);
        expect(states.at(-1)).toMatchObject({ watching: true, degraded: null });
        expect(watcher.state()).toMatchObject({ watching: true, degraded: null, settling: false });
      }, soon),
  };
}

test("a file is watched through every way to save and delete it, and nothing beside it is", async () => {
  const place = await makeTempDir();
  const file = join(place, "site.conf");
  await mkdir(join(place, "beside"));
  await writeFile(file, "one");
  const { watcher, changes, everything, hears } = await watchPath(file);
  expect(watcher.state()).toMatchObject({ watching: true, directories: 1, degraded: null });
  await writeFile(join(place, "other"), "x");
  await writeFile(join(place, "beside", "site.conf"), "x");
  await writeFile(`${file}.new`, "two");
  await rename(`${file}.new`, file);
  await hears({ path: file, kind: "changed" });
  await rm(file);
  await hears({ path: file, kind: "deleted" });
  await writeFile(file, "three");
  await hears({ path: file, kind: "changed" });
  expect(changes.filter(({ path }) => path !== file)).toEqual([]);
  expect(everything).toEqual([]);
});

test("a file that is not there at first is watched from when it is, after a complete sync", async () => {
  const place = await makeTempDir();
  const file = join(place, "site.conf");
  const { watcher, changes, everything, hears, hearsEverything } = await watchPath(file);
  expect(watcher.state()).toMatchObject({ watching: false, degraded: expect.stringContaining("is not there") });
  await writeFile(file, "one");
  await hearsEverything(`a file is at ${file} now`);
  await writeFile(join(place, "other"), "x");
  await writeFile(`${file}.new`, "two");
  await rename(`${file}.new`, file);
  await hears({ path: file, kind: "changed" });
  await rm(file);
  await hears({ path: file, kind: "deleted" });
  expect(changes.filter(({ path }) => path !== file)).toEqual([]);
  expect(everything).toHaveLength(1);
});

test("a file that comes with the directory around it is found where nothing could be watched", async () => {
  const place = await makeTempDir();
  const file = join(place, "etc/conf.d/site.conf");
  const { everything, hears, hearsEverything } = await watchPath(file, { rescanMs: 50 });
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, "one");
  await hearsEverything(`a file is at ${file} now`);
  await writeFile(file, "two");
  await hears({ path: file, kind: "changed" });
  expect(everything).toHaveLength(1);
});

test("the watch follows when a file takes the place of a directory, and the other way round", async () => {
  const place = await makeTempDir();
  const path = join(place, "data");
  await mkdir(join(path, "kept"), { recursive: true });
  const { watcher, changes, everything, hears, hearsEverything } = await watchPath(path, { exclude: ["/cache/"] });
  await rename(path, `${path}.away`);
  await writeFile(path, "one");
  await hearsEverything(`a file is at ${path} now`);
  expect(watcher.state()).toMatchObject({ directories: 1 });
  await writeFile(path, "two");
  await hears({ path, kind: "changed" });
  await rm(path);
  await rename(`${path}.away`, path);
  await hearsEverything(`a directory is at ${path} now`);
  await mkdir(join(path, "cache"));
  await writeFile(join(path, "cache", "left out"), "x");
  await writeFile(join(path, "kept", "file"), "x");
  await hears({ path: join(path, "kept", "file"), kind: "changed" });
  expect(changes.filter((change) => change.path.includes("cache"))).toEqual([]);
  expect(watcher.state()).toMatchObject({ directories: 2 });
  expect(everything).toHaveLength(2);
});

test("an exchange again and again loses nothing: something is reported after the last one", async () => {
  const path = join(await makeTempDir(), "data");
  const { watcher, changes, everything, hears } = await watchPath(path);
  for (let round = 0; round < 30; round += 1) {
    const isLast = round === 29;
    await rm(path, { recursive: true, force: true });
    if (isLast) await vi.waitFor(() => expect(watcher.state().settling).toBe(false), soon);
    const before = changes.length + everything.length;
    if (round % 2 === 0) await mkdir(path);
    else await writeFile(path, `${round}`);
    // At one time before the watch has heard of it, at another while it is exchanged.
    for (let turn = 0; turn < round % 7; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    if (isLast) await vi.waitFor(() => expect(changes.length + everything.length).toBeGreaterThan(before), soon);
  }
  await vi.waitFor(() => expect(watcher.state()).toMatchObject({ watching: true, settling: false }), soon);
  await writeFile(`${path}.new`, "last");
  await rename(`${path}.new`, path);
  await hears({ path, kind: "changed" });
  await rm(path);
  await hears({ path, kind: "deleted" });
});

test.each([1, 2, 3])(
  "one that is closed at watch %i of an exchange says that everything may have changed",
  async (at) => {
    const path = join(await makeTempDir(), "data");
    const { watcher, everything, held } = await watchPath(path);
    let opened = 0;
    let closed: Promise<void> | undefined;
    held.onOpened = () => {
      opened += 1;
      if (opened === at) closed = watcher.close();
    };
    writeFileSync(path, "one");
    // What comes after the exchange is a watch, too.
    await vi.waitFor(() => expect(closed ?? everything[0]).toBeDefined(), soon);
    await watcher.close();
    expect(everything.length).toBeGreaterThan(0);
    expect(held.watches).toBe(0);
    expect(watcher.state()).toMatchObject({ watching: false, directories: 0, settling: false });
  },
);

test("one that is closed before it has heard of a file says that everything may have changed", async () => {
  const path = join(await makeTempDir(), "data");
  const { watcher, everything, held } = await watchPath(path);
  writeFileSync(path, "one");
  await watcher.close();
  expect(everything).toHaveLength(1);
  expect(held.watches).toBe(0);
});

test("a directory is watched with all below it", async () => {
  const place = await makeTempDir();
  await mkdir(join(place, "a/b"), { recursive: true });
  const { watcher, hears } = await watchPath(place);
  expect(watcher.state()).toMatchObject({ watching: true, directories: 3 });
  await rm(join(place, "a"), { recursive: true });
  await hears({ path: join(place, "a"), kind: "deleted" });
});
