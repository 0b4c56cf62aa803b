import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { keepConnection } from "../kept-connection.ts";
import { remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Figure, Row } from "../row.ts";
import { measureInTurns, ratioOf } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { longRoundTripMs, roundTripMs } from "../slow-line.ts";
import { describeTree, makeTree, type TreeSize } from "../trees.ts";

const small: TreeSize = { directories: 100, filesInEach: 100 };
const large: TreeSize = { directories: 1000, filesInEach: 100 };

/** Trees of many directories on a host that is far away, in which nothing has changed. */
export const distantNoOp: Row = {
  name: "distant-no-op",
  title: "A tree far away in which nothing has changed",
  explains:
    "Bare rsync: the login, and one round trip for every few hundred files, because both sides wait for each other between batches of directories. The director: a session on the shared connection, and the round trips of rsync's protocol; the tree is one list. The limit beside it is what rsync needs when somebody has arranged all that by hand, so that the bar, which was set for the ten times larger tree, is below what can be had here. With more files the time that both sides need to read the tree takes over.",
  run: async (directory) => [
    await measureTree({ directory: join(directory, "small"), size: small, tripMs: roundTripMs, bar: 0.15 }),
    await measureTree({
      directory: join(directory, "small-far"),
      size: small,
      tripMs: longRoundTripMs,
      bar: undefined,
    }),
    await measureTree({ directory: join(directory, "large"), size: large, tripMs: roundTripMs, bar: undefined }),
  ],
};

interface Setting {
  readonly directory: string;
  readonly size: TreeSize;
  readonly tripMs: number;
  readonly bar: number | undefined;
}

async function measureTree({ directory, size, tripMs, bar }: Setting): Promise<Figure> {
  const [source, dest] = [join(directory, "source"), join(directory, "dest")];
  await makeTree(source, size);
  const host = await startLockHost(directory, { roundTripMs: tripMs });
  try {
    const action = { action: "sync", id: "tree", source: `${source}/`, dest, opts: ["-a"] };
    const director = await startBenchDirector(directory, [
      { id: "distant", ...remoteJob(host, host.far), actions: [action] },
    ]);
    const connection = await keepConnection(host, host.far, directory);
    try {
      const script = (options: string) => `rsync ${options} -e "$3" "$0/" "$2:$1"`;
      const args = (shell: string) => [source, dest, host.sshd.host, shell];
      const { ours, plain, best } = await measureInTurns(
        { warmUps: 2, counted: 7 },
        {
          ours: () => director.runOnce(),
          plain: () => timeShell(script("-a"), args(rsyncShell(host, host.far))),
          best: () => timeShell(script("-a --no-inc-recursive"), args(connection.shell)),
        },
      );
      const pair = { ours, plain, ratio: ratioOf(ours, plain) };
      return {
        name: `no-op of ${describeTree(size)} at ${tripMs} ms ÷ bare rsync`,
        ...{ unit: "", measured: pair.ratio, bar },
        parts: [
          ...partsOf(pair, {
            ours: "director, SIGHUP to the end of the run",
            plain: "rsync -a -e ssh source/ host:dest",
          }),
          {
            name: "limit: rsync -a --no-inc-recursive over a connection kept open by hand",
            ...{ unit: "ms", measured: best, side: "peer" as const },
          },
          { name: "ratio to the limit", unit: "", measured: ratioOf(ours, best) },
        ],
        note: "interleaved pairs; the connection is shared, and the size of the tree is known, from the second sync on",
      };
    } finally {
      await connection.close();
      await director.stop();
    }
  } finally {
    await host.stop();
  }
}
