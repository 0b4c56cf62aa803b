import { execa } from "execa";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createInotifyLedger } from "../../src/watch/inotify-ledger.ts";
import { createTreeWatcher } from "../../src/watch/tree-watcher.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { waitUntil } from "../support/process-state.ts";

/** A watcher of a tree, and what it has said and done so far. */
function watchTree(root: string) {
  const ledger = createInotifyLedger();
  const overflows = new Set<() => void>();
  const seen = { opened: 0, changed: new Set<string>(), everything: [] as string[] };
  const watcher = createTreeWatcher({
    root,
    filter: createWatchFilter({ extensions: [], include: [], exclude: [] }),
    ledger: {
      ...ledger,
      onOverflow: (listener) => {
        overflows.add(listener);
        return () => void overflows.delete(listener);
      },
      opened: () => {
        seen.opened += 1;
        ledger.opened();
      },
    },
    onChanges: (changes) => changes.forEach(({ path }) => seen.changed.add(path)),
    onEverything: (reason) => void seen.everything.push(reason),
    onState: () => undefined,
    clock: systemClock,
    log: createMemoryLog(),
  });
  onTestFinished(() => watcher.close());
  return { watcher, seen, overflow: () => overflows.forEach((tell) => tell()) };
}

test("a watcher that is closed while it looks at the tree for the first time does not look at all of it", async () => {
  const root = await makeTempDir();
  for (let number = 0; number < 3000; number += 1) await mkdir(join(root, `${number}`));
  const { watcher, seen } = watchTree(root);
  const started = watcher.start();
  await watcher.close();
  await started;
  expect(seen.opened).toBeLessThan(1000);
  expect(watcher.state().directories).toBe(0);
});

test("a watcher comes to its end also while the tree never rests, with what had happened before", async () => {
  const root = await makeTempDir();
  const { watcher, seen } = watchTree(root);
  await watcher.start();
  const writers = [1, 2, 3].map((number) => execa("sh", ["-c", `while :; do echo x >${number}; done`], { cwd: root }));
  for (const writer of writers) {
    writer.catch(() => undefined);
    onTestFinished(() => void writer.kill("SIGKILL"));
  }
  await waitUntil("the writers write", async () => seen.changed.size === 3);
  await execa("touch", ["last"], { cwd: root });
  await watcher.close();
  expect([...seen.changed]).toContain(join(root, "last"));
});

test("a watcher that has yet to answer a full queue of events when it is closed says that everything may have changed", async () => {
  const { watcher, seen, overflow } = watchTree(await makeTempDir());
  await watcher.start();
  overflow();
  await watcher.close();
  expect(seen.everything).toHaveLength(1);
});
