import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { timeFpsync } from "../fpsync.ts";
import { remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Figure, Row } from "../row.ts";
import { measureInTurns, ratioOf } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { longRoundTripMs, roundTripMs } from "../slow-line.ts";
import { describeTree, makeTree, type TreeSize } from "../trees.ts";

const size: TreeSize = { directories: 200, filesInEach: 100, bytes: 2000 };
const parts = 4;

/** The first copy of many small files to a host that is far away. */
export const parallelCopy: Row = {
  name: "parallel-copy",
  title: "The first copy of many small files to a host far away",
  explains:
    "A look, the parts and the last rsync come one after the other, and each pays the round trips with which an rsync begins and ends. Both hosts are one machine with few processors, which four rsyncs, their ssh and the files at the other end share: the waiting is divided, the work is not.",
  run: async (directory) => {
    const source = join(directory, "source");
    await makeTree(source, size);
    return [
      await measureDistance(join(directory, "far"), { source, tripMs: roundTripMs, bar: 0.5 }),
      await measureDistance(join(directory, "farther"), { source, tripMs: longRoundTripMs, bar: 0.35 }),
    ];
  },
};

async function measureDistance(
  directory: string,
  { source, tripMs, bar }: { source: string; tripMs: number; bar: number },
): Promise<Figure> {
  await mkdir(directory);
  const host = await startLockHost(directory, { roundTripMs: tripMs });
  const dest = join(directory, "dest");
  const emptied = async (measure: () => Promise<number>): Promise<number> => {
    await rm(dest, { recursive: true, force: true });
    return measure();
  };
  try {
    const action = { action: "sync", id: "tree", source: `${source}/`, dest, opts: ["-a"], parallel: parts };
    const job = { id: "distant", ...remoteJob(host, host.far), actions: [action] };
    const director = await startBenchDirector(directory, [job]);
    try {
      const args = [source, dest, host.sshd.host, rsyncShell(host, host.far)];
      const fpsyncTask = { source, dest, host, way: host.far, jobs: parts, directory: join(directory, "fpsync") };
      const { ours, plain, fpsync } = await measureInTurns(
        { warmUps: 1, counted: 7 },
        {
          ours: () => emptied(() => director.runOnce()),
          plain: () => emptied(() => timeShell('rsync -a -e "$3" "$0/" "$2:$1"', args)),
          fpsync: () =>
            emptied(async () => {
              await mkdir(dest);
              return timeFpsync(fpsyncTask);
            }),
        },
      );
      const pair = { ours, plain, ratio: ratioOf(ours, plain) };
      return {
        name: `first copy of ${describeTree(size)} at ${tripMs} ms, parallel: ${parts} ÷ bare rsync`,
        ...{ unit: "", measured: pair.ratio, bar },
        parts: [
          ...partsOf(pair, {
            ours: "director, SIGHUP to the end of the run",
            plain: "rsync -a -e ssh source/ host:dest",
          }),
          { name: `fpsync -n ${parts} source/ host:dest/`, unit: "ms", measured: fpsync, side: "peer" },
        ],
        note: "in turns, into a directory that is not there (fpsync: an empty one); the connection is shared from the second sync on",
      };
    } finally {
      await director.stop();
    }
  } finally {
    await host.stop();
  }
}
