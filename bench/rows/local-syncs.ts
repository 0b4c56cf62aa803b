import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { partsOf } from "../parts.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { makeFewFiles } from "../trees.ts";

const syncs = 50;

/** What the director adds to the work itself: one job of 50 syncs that find nothing to do. */
export const localSyncs: Row = {
  name: "local-syncs",
  title: "Fifty local syncs in one job",
  explains:
    "rsync itself: it naps for 20 ms once or twice, while its processes wait for each other to end. The director adds 5 ms for the start of a child, for which Node forks a process of 75 MB, and 3 ms for the history on the disk; and what it does while an rsync ends makes that nap twice more often. A bare Node that starts the same programs and reads nothing takes as long as the shell, which is the limit.",
  run: async (directory) => {
    const source = join(directory, "source");
    const dest = join(directory, "dest");
    await makeFewFiles(source);
    const actions = Array.from({ length: syncs }, (_, index) => ({
      ...{ action: "sync", id: `sync-${index}`, source: `${source}/`, dest },
      opts: ["-a"],
    }));
    const director = await startBenchDirector(directory, [{ id: "syncs", type: "local", actions }]);
    try {
      const loop = `for i in $(seq ${syncs}); do rsync -a "$0/" "$1" || exit 1; done`;
      const pair = await measurePairs(
        { warmUps: 1, counted: 7 },
        { ours: () => director.runOnce(), plain: () => timeShell(loop, [source, dest]) },
      );
      return [
        {
          name: `${syncs} local no-op syncs ÷ shell loop`,
          unit: "",
          measured: pair.ratio,
          bar: 1.05,
          parts: partsOf(pair, {
            ours: "director, SIGHUP to the end of the run",
            plain: "sh: for …; do rsync -a source/ dest; done",
          }),
          note: "100 files, interleaved pairs",
        },
      ];
    } finally {
      await director.stop();
    }
  },
};
