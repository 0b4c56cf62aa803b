import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { type LockHost, remoteJob, rsyncShell, startLockHost } from "../lock-host.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs } from "../series.ts";
import { timeShell } from "../shell-loop.ts";
import { roundTripMs } from "../slow-line.ts";

const filesInEach = 100;

/** Trees of many directories on a host that is far away, in which nothing has changed. */
export const distantNoOp: Row = {
  name: "distant-no-op",
  run: async (directory) => {
    const host = await startLockHost(directory);
    try {
      return [
        await measureTree(host, { directory: join(directory, "small"), directories: 100, bar: 0.15 }),
        await measureTree(host, { directory: join(directory, "large"), directories: 1000, bar: undefined }),
      ];
    } finally {
      await host.stop();
    }
  },
};

interface Setting {
  readonly directory: string;
  readonly directories: number;
  readonly bar: number | undefined;
}

async function measureTree(host: LockHost, { directory, directories, bar }: Setting): Promise<Figure> {
  const [source, dest] = [join(directory, "source"), join(directory, "dest")];
  for (let below = 0; below < directories; below += 1) {
    const path = join(source, `directory-${below}`);
    await mkdir(path, { recursive: true });
    for (let file = 0; file < filesInEach; file += 1) await writeFile(join(path, `file-${file}`), `${file}\n`);
  }
  const action = { action: "sync", id: "tree", source: `${source}/`, dest, opts: ["-a"] };
  const job = { id: "distant", ...remoteJob(host, host.far), actions: [action] };
  const director = await startBenchDirector(directory, [job]);
  try {
    const script = 'rsync -a -e "$3" "$0/" "$2:$1"';
    const args = [source, dest, host.sshd.host, rsyncShell(host, host.far)];
    const pair = await measurePairs(
      { warmUps: 2, counted: 7 },
      { ours: () => director.runOnce(), plain: () => timeShell(script, args) },
    );
    const files = (directories * filesInEach).toLocaleString("en");
    return {
      name: `no-op of ${files} files in ${directories} directories at ${roundTripMs} ms ÷ bare rsync`,
      ...{ unit: "", measured: pair.ratio, bar },
      parts: [
        { name: "director, SIGHUP to the end of the run", unit: "ms", measured: pair.ours },
        { name: "rsync -a -e ssh source/ host:dest", unit: "ms", measured: pair.plain },
      ],
      note: "interleaved pairs; the connection is shared, and the size of the tree is known, from the second sync on",
    };
  } finally {
    await director.stop();
  }
}
