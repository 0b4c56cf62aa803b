import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { createInotifyLedger } from "../../src/watch/inotify-ledger.ts";
import { createTreeWatcher } from "../../src/watch/tree-watcher.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";

// Watches the directory it is given, as if the kernel had watches enough, and writes how that went.
const watcher = createTreeWatcher({
  root: process.argv[2] ?? "",
  filter: createWatchFilter({ extensions: [], include: [], exclude: [] }),
  ledger: createInotifyLedger({ maxWatches: () => 1_000_000, maxQueuedEvents: () => undefined }),
  onChanges: () => undefined,
  onEverything: () => undefined,
  onState: () => undefined,
  clock: systemClock,
  log: silentLogger,
});
await watcher.start();
console.log(JSON.stringify(watcher.state()));
await watcher.close();
