import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBareServer } from "../bare-server.ts";
import { startBenchDirector } from "../director.ts";
import { type LockHost, remoteJob, startLockHost } from "../lock-host.ts";
import { childrenOf, cpuMillisecondsOf, memoryOf, openFilesOf, wakeUpsOf } from "../process-tree.ts";
import { roundsOf } from "../rounds.ts";
import type { Part, Row } from "../row.ts";
import { type Series, seriesOf } from "../series.ts";

const settleSeconds = 5;
const windowSeconds = 7;
/** All of them within the minute that an unused shared connection is kept; one for locks is kept for longer. */
const rounds = { warmUps: 0, counted: 7 };

/** What a director costs that has nothing to do, with everything open that a run has opened. */
export const idle: Row = {
  name: "idle",
  title: "Idle",
  explains:
    "The memory is Node's own first, then the code of the program, of ssh2 and of SQLite. The limit: a Node with one HTTP listener and SQLite alone, without a line of the program, takes some 55 MB (decision 22). Nothing polls: what wakes it up are timers that keep connections alive, and V8, which tidies up when nothing happens.",
  run: async (directory) => {
    const source = join(directory, "source");
    await mkdir(source, { recursive: true });
    await writeFile(join(source, "file"), "content\n");
    const host = await startLockHost(directory);
    const bare = await startBareServer();
    try {
      const plain = await startBenchDirector(join(directory, "plain"), [localJob(directory)], process.env, {
        rsync_id: "bench-plain",
      });
      try {
        const open = await startBenchDirector(join(directory, "open"), [lockingJob(host, directory)]);
        try {
          await open.runOnce();
          await seconds(settleSeconds);
          const watched = await watchWindows({ open: open.pid, plain: plain.pid, bare: bare.pid });
          requireOpen(open.pid, host);
          return figuresOf(watched);
        } finally {
          await open.stop();
        }
      } finally {
        await plain.stop();
      }
    } finally {
      await bare.stop();
      await host.stop();
    }
  },
};

function localJob(directory: string): object {
  const action = {
    action: "sync",
    id: "sync",
    source: `${directory}/source/`,
    dest: `${directory}/near`,
    opts: ["-a"],
  };
  return { id: "job", type: "local", actions: [action] };
}

function lockingJob(host: LockHost, directory: string): object {
  const action = { action: "sync", id: "sync", source: `${directory}/source/`, dest: `${directory}/far`, opts: ["-a"] };
  const lock = { type: "remote", path: join(host.directory, "lock") };
  const job = remoteJob(host, host.near);
  return { id: "job", ...job, lock_files: [lock], actions: [action] };
}

/** A figure that is called "with a connection and a history" has to be one. */
function requireOpen(pid: number, host: LockHost): void {
  if (childrenOf(host.sshd.pid).length < 2) throw new Error("the director has closed its ssh connections");
  if (!openFilesOf(pid).some((path) => /history-[^/]*\.db$/.test(path))) throw new Error("no history is open");
}

type Who = "open" | "plain" | "bare";
interface Watched {
  readonly memory: Series;
  readonly wakeUps: Series;
  readonly cpu: Series;
}

/** All of them in the same windows. */
async function watchWindows(pids: Readonly<Record<Who, number>>): Promise<Record<Who, Watched>> {
  const watchers = Object.entries(pids).map(([who, pid]) => {
    const values = { memory: [] as number[], wakeUps: [] as number[], cpu: [] as number[] };
    let [wakeUps, cpu] = [wakeUpsOf(pid), cpuMillisecondsOf(pid)];
    const look = () => {
      values.memory.push(memoryOf(pid));
      values.wakeUps.push((wakeUpsOf(pid) - wakeUps) / windowSeconds);
      values.cpu.push(cpuMillisecondsOf(pid) - cpu);
      [wakeUps, cpu] = [wakeUpsOf(pid), cpuMillisecondsOf(pid)];
    };
    return { who, values, look };
  });
  for (let window = 0; window < roundsOf(rounds).counted; window += 1) {
    await seconds(windowSeconds);
    for (const { look } of watchers) look();
  }
  const entries = watchers.map(({ who, values: { memory, wakeUps, cpu } }) => {
    return [who, { memory: seriesOf(memory), wakeUps: seriesOf(wakeUps), cpu: seriesOf(cpu) }] as const;
  });
  return Object.fromEntries(entries) as Record<Who, Watched>;
}

function figuresOf({ open, plain, bare }: Record<Who, Watched>) {
  const what = "idle with ssh connections and history open";
  const windows = `windows of ${windowSeconds} s, 5 s after a run`;
  const parts = (unit: string, of: (watched: Watched) => Series): Part[] => [
    { name: "director that has not run yet", unit, measured: of(plain), side: "ours" },
    { name: "node, a bare HTTP server", unit, measured: of(bare), side: "peer" },
  ];
  return [
    {
      ...{ name: `${what}: memory`, unit: "MB RSS", measured: open.memory, bar: 65 },
      ...{ parts: parts("MB RSS", ({ memory }) => memory), note: `${windows}; the process of the director alone` },
    },
    {
      ...{ name: `${what}: wake-ups`, unit: "/s", measured: open.wakeUps, bar: 1 },
      ...{
        parts: parts("/s", ({ wakeUps }) => wakeUps),
        note: `voluntary context switches of all threads, ${windows}`,
      },
    },
    {
      ...{ name: `${what}: CPU`, unit: "ms", measured: open.cpu, bar: 20 },
      ...{ parts: parts("ms", ({ cpu }) => cpu), note: `${windows}; the kernel counts in steps of 10 ms` },
    },
  ];
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
