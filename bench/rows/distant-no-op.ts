import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import { partsOf } from "../parts.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs } from "../series.ts";
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
    "Bare rsync: the login, and one round trip for every few hundred files, because both sides wait for each other between batches of directories. The director: a session on the shared connection, and the round trips of rsync's protocol; the tree is one list. With more files the time that both sides need to read the tree takes over.",
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
    try {
      const script = 'rsync -a -e "$3" "$0/" "$2:$1"';
      const args = [source, dest, host.sshd.host, rsyncShell(host, host.far)];
      const pair = await measurePairs(
        { warmUps: 2, counted: 7 },
        { ours: () => director.runOnce(), plain: () => timeShell(script, args) },
      );
      return {
        name: `no-op of ${describeTree(size)} at ${tripMs} ms ÷ bare rsync`,
        ...{ unit: "", measured: pair.ratio, bar },
        parts: partsOf(pair, {
          ours: "director, SIGHUP to the end of the run",
          plain: "rsync -a -e ssh source/ host:dest",
        }),
        note: "interleaved pairs; the connection is shared, and the size of the tree is known, from the second sync on",
      };
    } finally {
      await director.stop();
    }
  } finally {
    await host.stop();
  }
}
