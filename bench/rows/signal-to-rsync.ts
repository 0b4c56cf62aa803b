import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { partsOf } from "../parts.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";

/** How long a signal takes to become a running rsync, against the shortest thing that could do it. */
export const signalToRsync: Row = {
  name: "signal-to-rsync",
  title: "From a signal to a running rsync",
  explains:
    "Node needs twice as long as a shell to start a child at all: it copies the page table of a larger process. The rest are the steps between: the request, the run, the guard that looks at the source, and `setpriv`, which becomes rsync.",
  run: async (directory) => {
    const source = join(directory, "source");
    const dest = join(directory, "dest");
    await mkdir(source, { recursive: true });
    await writeFile(join(source, "file"), "content\n");
    const probe = await makeProbe(directory);
    const env = { ...process.env, PATH: `${probe.bin}:${process.env.PATH}` };
    const actions = [{ action: "sync", id: "sync", source: `${source}/`, dest, opts: ["-a"] }];
    const director = await startBenchDirector(
      join(directory, "director"),
      [{ id: "job", type: "local", actions }],
      env,
    );
    const trap = await startTrap(source, dest, env);
    try {
      const pair = await measurePairs(
        { warmUps: 3, counted: 15 },
        {
          ours: async () => {
            const run = director.runOnce();
            const latency = await probe.next(performance.now());
            await run;
            return latency;
          },
          plain: async () => {
            const sentAt = performance.now();
            trap.signal();
            const latency = await probe.next(sentAt);
            await trap.done();
            return latency;
          },
        },
      );
      return [
        {
          name: "SIGHUP → rsync exec'd ÷ a shell's trap",
          unit: "",
          measured: pair.ratio,
          bar: 5,
          parts: partsOf(pair, { ours: "director", plain: "bash: trap 'rsync -a source/ dest' HUP" }),
          note: "both include the same small sh script that stands before rsync in PATH and reports its start",
        },
      ];
    } finally {
      trap.end();
      await director.stop();
      await probe.close();
    }
  },
};

/** A directory for PATH whose `rsync` reports through a fifo that it was started, and becomes rsync. */
async function makeProbe(directory: string) {
  const bin = join(directory, "bin");
  const fifo = join(directory, "started");
  await mkdir(bin, { recursive: true });
  execFileSync("mkfifo", [fifo]);
  const real = execFileSync("sh", ["-c", "command -v rsync"], { encoding: "utf8" }).trim();
  await writeFile(join(bin, "rsync"), `#!/bin/sh\necho >${fifo}\nexec ${real} "$@"\n`);
  await chmod(join(bin, "rsync"), 0o755);
  // Open for both, so that neither side ever waits for the other.
  const pipe = await open(fifo, "r+");
  const buffer = Buffer.alloc(64);
  return {
    bin,
    next: async (sentAt: number): Promise<number> => {
      await pipe.read(buffer, 0, buffer.length, null);
      return performance.now() - sentAt;
    },
    close: () => pipe.close(),
  };
}

/** A shell that runs rsync whenever it gets SIGHUP, and says when it has. */
async function startTrap(source: string, dest: string, env: NodeJS.ProcessEnv) {
  const script = `trap 'rsync -a "$0/" "$1"; echo done' HUP; echo ready; while :; do sleep 1000 & wait $!; kill $!; done`;
  const shell = spawn("bash", ["-c", script, source, dest], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const line = () => once(shell.stdout, "data");
  await line();
  let finished: Promise<unknown> = Promise.resolve();
  return {
    signal: () => {
      finished = line();
      shell.kill("SIGHUP");
    },
    done: () => finished,
    // Its sleep is in the same group.
    end: () => void process.kill(-(shell.pid ?? 0), "SIGKILL"),
  };
}
