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

const syncs = 50;
const fewSyncs = 10;

/** What the shared ssh connection saves: one job of syncs to one host that find nothing to do. */
export const remoteSyncs: Row = {
  name: "remote-syncs",
  title: "Many syncs to one host",
  explains:
    "The loop logs in for every sync: on loopback that is the processor time of the key exchange on both sides, far away the round trips. The director logs in once; what is left is rsync, which naps about 30 ms at the end of every sync, and its own round trips.",
  run: async (directory) => {
    const source = join(directory, "source");
    await makeFewFiles(source);
    const host = await startLockHost(directory);
    try {
      const near = { directory: join(directory, "near"), source, count: syncs, where: "", bar: 0.35 };
      const far = { directory: join(directory, "far"), source, count: fewSyncs, where: ` at ${roundTripMs} ms` };
      return [await measureWay(host, host.near, near), await measureWay(host, host.far, { ...far, bar: undefined })];
    } finally {
      await host.stop();
    }
  },
};

interface Setting {
  readonly directory: string;
  readonly source: string;
  readonly count: number;
  readonly where: string;
  readonly bar: number | undefined;
}

async function measureWay(
  host: LockHost,
  way: Way,
  { directory, source, count, where, bar }: Setting,
): Promise<Figure> {
  const dest = join(directory, "dest");
  await mkdir(directory, { recursive: true });
  const actions = Array.from({ length: count }, (_, index) => ({
    ...{ action: "sync", id: `sync-${index}`, source: `${source}/`, dest },
    opts: ["-a"],
  }));
  const director = await startBenchDirector(directory, [{ id: "syncs", ...remoteJob(host, way), actions }]);
  const connection = await keepConnection(host, way, directory);
  try {
    const loop = `for i in $(seq ${count}); do rsync -a -e "$3" "$0/" "$2:$1" || exit 1; done`;
    const args = (shell: string) => [source, dest, host.sshd.host, shell];
    const { ours, plain, kept } = await measureInTurns(
      { warmUps: 1, counted: 7 },
      {
        ours: () => director.runOnce(),
        plain: () => timeShell(loop, args(rsyncShell(host, way))),
        kept: () => timeShell(loop, args(connection.shell)),
      },
    );
    const pair = { ours, plain, ratio: ratioOf(ours, plain) };
    return {
      ...{ name: `${count} remote no-op syncs${where} ÷ shell loop`, unit: "", measured: pair.ratio, bar },
      parts: [
        ...partsOf(pair, {
          ours: "director, SIGHUP to the end of the run",
          plain: "sh: for …; do rsync -a -e ssh source/ host:dest; done",
        }),
        { name: "limit: that loop over a connection kept open by hand", unit: "ms", measured: kept, side: "peer" },
        { name: "ratio to the limit", unit: "", measured: ratioOf(ours, kept) },
      ],
      note: "100 files, interleaved pairs",
    };
  } finally {
    await connection.close();
    await director.stop();
  }
}
