import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { keepConnection } from "../kept-connection.ts";
import { type LockHost, remoteJob, rsyncShell, startLockHost, type Way } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Figure, Row } from "../row.ts";
import { measureInTurns, ratioOf } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { roundTripMs } from "../slow-line.ts";
import { makeFewFiles } from "../trees.ts";

const syncs = 8;
const allAtOnce = `
  pids=
  for i in $(seq ${syncs}); do
    rsync -a -e "$3" "$0/" "$2:$1-$i" &
    pids="$pids $!"
  done
  for pid in $pids; do wait "$pid" || exit 1; done`;

/** One job that brings the same to eight places, all at a time and one after the other. */
export const sideBySide: Row = {
  name: "side-by-side",
  title: "Eight syncs side by side",
  explains:
    "Far away the round trips, which eight syncs wait for together: the limit is an eighth. What lies above it is the processor time of eight rsyncs, of both sides and of the line itself, which share the processors here. On loopback it is that time alone: eight rsyncs at once by hand cannot reach the bar there either, with as few processors; only the naps of rsync overlap.",
  run: async (directory) => {
    const source = join(directory, "source");
    await makeFewFiles(source);
    const host = await startLockHost(directory);
    try {
      const far = { directory: join(directory, "far"), source, where: `at ${roundTripMs} ms`, bar: 0.25 };
      const near = { directory: join(directory, "near"), source, where: "on loopback", bar: 0.25 };
      return [await measureWay(host, host.far, far), await measureWay(host, host.near, near)];
    } finally {
      await host.stop();
    }
  },
};

interface Setting {
  readonly directory: string;
  readonly source: string;
  readonly where: string;
  readonly bar: number;
}

async function measureWay(host: LockHost, way: Way, setting: Setting): Promise<Figure> {
  const { directory, source, where, bar } = setting;
  const start = (atATime: number) => {
    const below = join(directory, `${atATime}-at-a-time`);
    const targets = Array.from({ length: syncs }, (_, index) => ({
      ...{ id: `place-${index}`, host: host.sshd.host, dest: join(below, `dest-${index}`) },
    }));
    const { host: _, ...account } = remoteJob(host, way);
    const actions = [{ action: "sync", id: "sync", source: `${source}/`, dest: join(below, "dest"), opts: ["-a"] }];
    const job = { id: "places", ...account, targets, max_parallel: atATime, actions };
    return startBenchDirector(below, [job], process.env, { rsync_id: `bench-${atATime}` });
  };
  await mkdir(directory, { recursive: true });
  const connection = await keepConnection(host, way, directory);
  const together = await start(syncs);
  try {
    const inTurn = await start(1);
    try {
      const loop = `for i in $(seq ${syncs}); do rsync -a -e "$3" "$0/" "$2:$1-$i" || exit 1; done`;
      const shellArgs = (shell: string) => [source, join(directory, "dest"), host.sshd.host, shell];
      const { ours, plain, shell, atOnce, keptLoop } = await measureInTurns(
        { warmUps: 2, counted: 9 },
        {
          ours: () => together.runOnce(),
          plain: () => inTurn.runOnce(),
          shell: () => timeShell(loop, shellArgs(rsyncShell(host, way))),
          atOnce: () => timeShell(allAtOnce, shellArgs(connection.shell)),
          keptLoop: () => timeShell(loop, shellArgs(connection.shell)),
        },
      );
      const pair = { ours, plain, ratio: ratioOf(ours, plain) };
      return {
        ...{ name: `${syncs} no-op syncs ${where}, side by side ÷ one after the other`, unit: "" },
        ...{ measured: pair.ratio, bar },
        parts: [
          ...partsOf(pair, { ours: `director, max_parallel: ${syncs}`, plain: "director, max_parallel: 1" }),
          { name: "sh: for …; do rsync -a -e ssh source/ host:dest; done", unit: "ms", measured: shell, side: "peer" },
          {
            name: `sh: ${syncs} rsyncs at once, over a connection kept open`,
            unit: "ms",
            measured: atOnce,
            side: "peer",
          },
          { name: "sh: that loop over it", unit: "ms", measured: keptLoop, side: "peer" },
          { name: "limit: the ratio of these two", unit: "", measured: ratioOf(atOnce, keptLoop) },
        ],
        note: "100 files to eight directories of one host, as eight targets of one job; in turns, connection warm",
      };
    } finally {
      await inTurn.stop();
    }
  } finally {
    await together.stop();
    await connection.close();
  }
}
