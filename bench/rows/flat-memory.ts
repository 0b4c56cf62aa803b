import { execFileSync } from "node:child_process";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import { memoryOf } from "../process-tree.ts";
import { trialRounds } from "../rounds.ts";
import type { Row } from "../row.ts";
import { ratioOf, seriesOf } from "../series.ts";

const outputBytes = 10_000_000;
const lineBytes = 1000;
const runs = { first: 100, all: 2000, looks: 31 };

/** Whether a director that has worked a lot is larger than one that has worked a little. */
export const flatMemory: Row = {
  name: "flat-memory",
  title: "Memory after 2,000 runs",
  explains:
    "Of an output only its end is kept, and of runs that have ended their last thirty; everything else is in the history, on disk. A single look says little: memory swings by some megabytes between two collections of garbage. What is added after the first 100 runs is code that V8 compiles because it is used often, and what the threads that compile it keep.",
  run: async (directory) => {
    const output = join(directory, "output");
    await writeFile(output, `${"x".repeat(lineBytes - 1)}\n`.repeat(outputBytes / lineBytes));
    const starts = await makeCounter(directory);
    const talk = { action: "command", id: "talk", command: `echo >${starts.fifo}; cat ${output}`, shell: true };
    const job = { id: "talks", type: "local", actions: [talk] };
    const logging = [{ type: "stdout", level: "warn", format: "json" }];
    const director = await startBenchDirector(join(directory, "director"), [job], process.env, { logging });
    const all = trialRounds() === undefined ? runs.all : runs.first + runs.looks;
    const early: number[] = [];
    const late: number[] = [];
    try {
      const startedAt = performance.now();
      for (let run = 1; run <= all; run += 1) {
        // It begins with the one before still running, and waits for its end.
        director.signal("SIGHUP");
        await starts.next();
        if (isLook(run, runs.first)) early.push(memoryOf(director.pid));
        if (isLook(run, all)) late.push(memoryOf(director.pid));
      }
      const seconds = (performance.now() - startedAt) / 1000;
      const [before, after] = [seriesOf(early), seriesOf(late)];
      return [
        {
          ...{ name: "memory after 2,000 runs ÷ after the first 100", unit: "", measured: ratioOf(after, before) },
          bar: 1.05,
          parts: [
            { name: `after ${all} runs`, unit: "MB RSS", measured: after, side: "ours" },
            { name: `after ${runs.first} runs`, unit: "MB RSS", measured: before, side: "peer" },
          ],
          note: `one command with ${outputBytes / 1e6} MB of output each, in lines of ${lineBytes / 1000} kB; ${(all / seconds).toFixed(0)} runs a second; looked at as each of the last ${runs.looks} runs up to run ${runs.first} and up to run ${all} begins; nothing collects garbage for it`,
        },
      ];
    } finally {
      await director.stop();
      await starts.close();
    }
  },
};

/** One of the last runs up to `end`. */
function isLook(run: number, end: number): boolean {
  return run <= end && run > end - runs.looks;
}

/** Runs tell through a fifo that they have begun; the log would have to be read for it otherwise. */
async function makeCounter(directory: string) {
  await mkdir(directory, { recursive: true });
  const fifo = join(directory, "starts");
  execFileSync("mkfifo", [fifo]);
  const pipe = await open(fifo, "r+");
  const byte = Buffer.alloc(1);
  return {
    fifo,
    next: async () => void (await pipe.read(byte, 0, 1, null)),
    close: () => pipe.close(),
  };
}
