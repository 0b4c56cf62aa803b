import { startLockHost } from "../lock-host.ts";
import type { Figure, Row } from "../row.ts";
import { measureStorm, ratioOfCosts, stormParts } from "../storm-measure.ts";
import { bareRsync, director, lsyncd } from "../watch-peers.ts";
import { onTmpfs } from "../watch-site.ts";

const rounds = 7;

/** Many small files at once: from the last write until the last file is at the target. */
export const watchStorm: Row = {
  name: "watch-storm",
  title: "Many files at once",
  explains:
    "rsync's own work on the files. lsyncd starts an rsync for each thousand of them, with a list of filters that every file is held against, and waits its delay between them; the director sends one list when the debounce is over, and the connection is there already.",
  run: (fallback) =>
    onTmpfs(fallback, async (directory, where) => {
      const host = await startLockHost(directory);
      try {
        const figures: Figure[] = [];
        for (const files of [1000, 10_000]) {
          const storm = { files, rounds, host, way: host.near };
          const results = await measureStorm(directory, [director, lsyncd, bareRsync], storm);
          const [ours, peer, bare] = results;
          if (ours === undefined || peer === undefined || bare === undefined) throw new Error("a peer is missing");
          const note = `files of 1 to 4 KB, 20 directories that are there, ${where}; debounce and delay ${director.waitsMs} ms; client side alone`;
          figures.push(
            {
              ...{ name: `${files} files: director above its debounce ÷ one bare rsync -a`, unit: "" },
              ...{ measured: ratioOfCosts([ours, bare], ({ aboveMs }) => aboveMs), bar: 1.5 },
              ...{ parts: stormParts(results), note },
            },
            {
              ...{ name: `${files} files: director ÷ lsyncd, waiting included`, unit: "" },
              ...{ measured: ratioOfCosts([ours, peer], ({ ms }) => ms), bar: files === 10_000 ? 0.25 : undefined },
              ...{ parts: [], note: "" },
            },
          );
        }
        return figures;
      } finally {
        await host.stop();
      }
    }),
};
