import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { PathChange } from "../../src/model/changes.ts";
import { createInotifyLedger } from "../../src/watch/inotify-ledger.ts";
import { createPathWatcher } from "../../src/watch/path-watcher.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const soon = { timeout: 30_000, interval: 20 };

async function watchPath(root: string) {
  const changes: PathChange[] = [];
  const watcher = createPathWatcher({
    root,
    filter: createWatchFilter({ extensions: [], include: [], exclude: [] }),
    ledger: createInotifyLedger(),
    onChanges: (list) => changes.push(...list),
    onEverything: (reason) => expect.unreachable(reason),
    onState: () => undefined,
    clock: systemClock,
    log: createMemoryLog(),
  });
  onTestFinished(() => watcher.close());
  await watcher.start();
  /** Resolves when this is the last news; the same may be told more than once. */
  const hears = (change: PathChange) => vi.waitFor(() => expect(changes.at(-1)).toEqual(change), soon);
  return { watcher, changes, hears };
}

test("a file is watched through every way to save and delete it, and nothing beside it is", async () => {
  const place = await makeTempDir();
  const file = join(place, "site.conf");
  await mkdir(join(place, "beside"));
  await writeFile(file, "one");
  const { watcher, changes, hears } = await watchPath(file);
  expect(watcher.state()).toMatchObject({ watching: true, directories: 1, degraded: null });
  await writeFile(join(place, "other"), "x");
  await writeFile(join(place, "beside", "site.conf"), "x");
  await writeFile(`${file}.new`, "two");
  await rename(`${file}.new`, file);
  await hears({ path: file, kind: "changed" });
  await rm(file);
  await hears({ path: file, kind: "deleted" });
  await mkdir(file);
  await hears({ path: file, kind: "tree" });
  await writeFile(join(file, "inside"), "x");
  await hears({ path: join(file, "inside"), kind: "changed" });
  expect(changes.filter(({ path }) => path !== file && !path.startsWith(`${file}/`))).toEqual([]);
});

test("a directory is watched with all below it", async () => {
  const place = await makeTempDir();
  await mkdir(join(place, "a/b"), { recursive: true });
  const { watcher, hears } = await watchPath(place);
  expect(watcher.state()).toMatchObject({ watching: true, directories: 3 });
  await rm(join(place, "a"), { recursive: true });
  await hears({ path: join(place, "a"), kind: "deleted" });
});
