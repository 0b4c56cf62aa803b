import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { timeFpsync } from "../fpsync.ts";
import { keepConnection } from "../kept-connection.ts";
import { remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import { roundsOf } from "../rounds.ts";
import type { Figure, Row } from "../row.ts";
import { measureInTurns, ratioOf } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { longRoundTripMs, roundTripMs } from "../slow-line.ts";
import { describeTree, makeTree, type TreeSize } from "../trees.ts";

const size: TreeSize = { directories: 200, filesInEach: 100, bytes: 2000 };
const parts = 4;
const rounds = { warmUps: 1, counted: 7 };

/** The first copy of many small files to a host that is far away. */
export const parallelCopy: Row = {
  name: "parallel-copy",
  title: "The first copy of many small files to a host far away",
  explains:
    "The limit stands beside it: four rsyncs by hand, over a kept connection, with lists and directory made ready. Near by that is processor time: both hosts are one machine with few processors, which four rsyncs, their ssh and the files at the other end share, and which one rsync keeps half busy already. Far away it is seven round trips, which any rsync over ssh waits from its start to its end, and what the ssh channel lets through at a time. The last rsync, which decides what is right, adds seven more, and what makes the directory two; so the bar of 0.35 is out of reach.",
  run: async (directory) => {
    const source = join(directory, "source");
    await makeTree(source, size);
    const lists = join(directory, "list-");
    await writeLists(source, lists);
    return [
      await measureDistance(join(directory, "far"), { source, lists, tripMs: roundTripMs, bar: 0.5 }),
      await measureDistance(join(directory, "farther"), { source, lists, tripMs: longRoundTripMs, bar: 0.35 }),
    ];
  },
};

/** The files of a tree in so many lists as there are parts, for rsync's --files-from. */
async function writeLists(source: string, lists: string): Promise<void> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .toSorted();
  const each = Math.ceil(files.length / parts);
  for (let part = 0; part < parts; part += 1) {
    await writeFile(`${lists}${part}`, files.slice(part * each, (part + 1) * each).join("\n"));
  }
}

/** What no way of dividing a copy among rsyncs can be faster than: nothing is found out, made ready or looked at. */
const byHand = `
  pids=
  for part in $(seq 0 ${parts - 1}); do
    rsync -a --files-from="$4$part" -e "$3" "$0/" "$2:$1" &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid" || exit 1; done`;

async function measureDistance(
  directory: string,
  { source, lists, tripMs, bar }: { source: string; lists: string; tripMs: number; bar: number },
): Promise<Figure> {
  await mkdir(directory);
  const host = await startLockHost(directory, { roundTripMs: tripMs });
  const kept = await keepConnection(host, host.far, directory);
  const dest = join(directory, "dest");
  const emptied = async (measure: () => Promise<number>): Promise<number> => {
    await rm(dest, { recursive: true, force: true });
    return measure();
  };
  const intoEmpty = (measure: () => Promise<number>) =>
    emptied(async () => {
      await mkdir(dest);
      return measure();
    });
  try {
    // A job for each round: what a director has been to before is no first copy to it.
    const { warmUps, counted } = roundsOf(rounds);
    const reach = remoteJob(host, host.far);
    const jobs = Array.from({ length: warmUps + counted }, (_, round) => ({
      ...{ id: `round-${round}`, ...reach, ssh: { ...reach.ssh, share_idle: 3600 } },
      actions: [{ action: "sync", id: "tree", source: `${source}/`, dest, opts: ["-a"], parallel: parts }],
    }));
    const director = await startBenchDirector(directory, jobs);
    try {
      const next = jobs.values();
      const args = [source, dest, host.sshd.host];
      const fpsyncTask = { source, dest, host, way: host.far, jobs: parts, directory: join(directory, "fpsync") };
      const { ours, plain, hand, fpsync } = await measureInTurns(rounds, {
        ours: () => emptied(() => director.runOnce(next.next().value?.id)),
        plain: () => emptied(() => timeShell('rsync -a -e "$3" "$0/" "$2:$1"', [...args, rsyncShell(host, host.far)])),
        hand: () => intoEmpty(() => timeShell(byHand, [...args, kept.shell, lists])),
        fpsync: () => intoEmpty(() => timeFpsync(fpsyncTask)),
      });
      const pair = { ours, plain, ratio: ratioOf(ours, plain) };
      return {
        name: `first copy of ${describeTree(size)} at ${tripMs} ms, parallel: ${parts} ÷ bare rsync`,
        ...{ unit: "", measured: pair.ratio, bar },
        parts: [
          ...partsOf(pair, {
            ours: "director, from the request to the end of the run",
            plain: "rsync -a -e ssh source/ host:dest",
          }),
          { name: `fpsync -n ${parts} source/ host:dest/`, unit: "ms", measured: fpsync, side: "peer" },
          {
            name: `${parts} × rsync -a --files-from by hand, all made ready, nothing looked at afterwards`,
            ...{ unit: "ms", measured: hand, side: "peer" },
          },
          { name: "by hand ÷ bare rsync", unit: "", measured: ratioOf(hand, plain) },
        ],
        note: "in turns, into a directory that is not there (fpsync and by hand: an empty one); the director's connection and the one by hand are kept, the others log in",
      };
    } finally {
      await director.stop();
    }
  } finally {
    await kept.close();
    await host.stop();
  }
}
