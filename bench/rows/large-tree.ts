import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { timeFpsync } from "../fpsync.ts";
import { remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Row } from "../row.ts";
import { measureInTurns, ratioOf } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { describeTree, makeTree, type TreeSize } from "../trees.ts";

const size: TreeSize = { directories: 1000, filesInEach: 100 };

/** A large tree near by, in which nothing has changed. */
export const largeTree: Row = {
  name: "large-tree",
  title: "A large tree near by in which nothing has changed",
  explains:
    "Both sides read the tree: system calls for every file, on the same two processors. The login that the director saves is what it may spend on itself. fpsync cuts the tree into lists of two thousand files, and logs in for each.",
  run: async (directory) => {
    const [source, dest] = [join(directory, "source"), join(directory, "dest")];
    await makeTree(source, size);
    const host = await startLockHost(directory);
    try {
      const action = { action: "sync", id: "tree", source: `${source}/`, dest, opts: ["-a"] };
      const director = await startBenchDirector(join(directory, "director"), [
        { id: "large", ...remoteJob(host, host.near), actions: [action] },
      ]);
      try {
        const script = 'rsync -a -e "$3" "$0/" "$2:$1"';
        const args = [source, dest, host.sshd.host, rsyncShell(host, host.near)];
        const fpsyncTask = { source, dest, host, way: host.near, jobs: 2, directory: join(directory, "fpsync") };
        const { ours, plain, fpsync } = await measureInTurns(
          { warmUps: 2, counted: 9 },
          {
            ours: () => director.runOnce(),
            plain: () => timeShell(script, args),
            fpsync: () => timeFpsync(fpsyncTask),
          },
        );
        const pair = { ours, plain, ratio: ratioOf(ours, plain) };
        return [
          {
            name: `no-op of ${describeTree(size)} over ssh on loopback ÷ bare rsync`,
            ...{ unit: "", measured: pair.ratio, bar: 1 },
            parts: [
              ...partsOf(pair, {
                ours: "director, SIGHUP to the end of the run",
                plain: "rsync -a -e ssh source/ host:dest",
              }),
              { name: "fpsync -n 2 source/ host:dest/", unit: "ms", measured: fpsync, side: "peer" },
            ],
            note: "in turns; source and destination in the cache of the same kernel",
          },
        ];
      } finally {
        await director.stop();
      }
    } finally {
      await host.stop();
    }
  },
};
