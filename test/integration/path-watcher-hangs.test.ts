import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createInotifyLedger } from "../../src/watch/inotify-ledger.ts";
import { createPathWatcher } from "../../src/watch/path-watcher.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const hanging = vi.hoisted(() => new Set<unknown>());

/** A file server that answers no more: what is asked about these paths never ends. */
vi.mock("node:fs/promises", async (load) => {
  const real = await load<typeof import("node:fs/promises")>();
  const stat = (...args: Parameters<typeof real.stat>) =>
    hanging.has(args[0]) ? new Promise<never>(() => undefined) : real.stat(...args);
  return { ...real, stat, default: { ...real, stat } };
});

test("a watch is closed, and says that nobody knows what is there, when the disk hangs", async () => {
  const root = join(await makeTempDir(), "file");
  await writeFile(root, "text");
  const everything: string[] = [];
  const watcher = createPathWatcher({
    ...{ root, filter: createWatchFilter({ extensions: [], include: [], exclude: [] }), ledger: createInotifyLedger() },
    ...{ onChanges: () => undefined, onState: () => undefined, clock: systemClock, log: createMemoryLog() },
    onEverything: (reason) => everything.push(reason),
  });
  onTestFinished(() => hanging.clear());
  await watcher.start();
  expect(everything).toEqual([]);
  hanging.add(root);
  await watcher.close();
  expect(everything).toEqual([`the watch was ended before it was known what is at ${root}`]);
});
