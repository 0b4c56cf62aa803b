import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { builtProgram } from "../../test/support/director-process.ts";
import { fillHistory } from "../../test/support/many-runs.ts";
import { freePort } from "../../test/support/sshd.ts";
import { startBenchDirector, untilAnswered } from "../director.ts";
import type { Figure, Row } from "../row.ts";
import { type Series, seriesOf } from "../series.ts";

const jobs = 500;
const runs = 100_000;
const rounds = { warmUps: 2, counted: 11 };

/** How long people and Prometheus wait for a director with many jobs and a long history. */
export const manyJobs: Row = {
  name: "many-jobs",
  run: async (directory) => {
    const place = join(directory, "director");
    await mkdir(join(place, "state"), { recursive: true });
    await fillHistory(join(place, "state", "history-bench.db"), { jobs, runs });
    const port = await freePort();
    const more = { web: { port }, history: { keep_runs: runs } };
    const director = await startBenchDirector(place, jobList(directory), process.env, more);
    try {
      const page = `http://127.0.0.1:${port}/`;
      const config = join(place, "bench.yaml");
      return [
        figure("page", { measured: await timed(() => untilAnswered(page)), bar: 200 }),
        figure("status on the command line", { measured: await timed(() => runStatus(config)), bar: 200 }),
        figure("scrape", { measured: await timed(() => untilAnswered(director.metricsUrl)), bar: 60 }),
      ];
    } finally {
      await director.stop();
    }
  },
};

function jobList(directory: string): object[] {
  return Array.from({ length: jobs }, (_, index) => ({
    id: `job${index}`,
    type: "local",
    schedule: `${index % 60} ${index % 24} * * 1-5`,
    actions: [
      { action: "sync", id: "copy", source: `${directory}/source/`, dest: `${directory}/dest${index}`, opts: ["-a"] },
    ],
  }));
}

function figure(what: string, { measured, bar }: { measured: Series; bar: number }): Figure {
  return { name: `${what}, ${jobs} jobs, ${runs} runs`, unit: "ms", measured, bar, parts: [], note: "" };
}

async function timed(ask: () => Promise<void>): Promise<Series> {
  const times: number[] = [];
  for (let round = 0; round < rounds.warmUps + rounds.counted; round += 1) {
    const startedAt = performance.now();
    await ask();
    if (round >= rounds.warmUps) times.push(performance.now() - startedAt);
  }
  return seriesOf(times);
}

/** From the start of the process to its end, the start of Node included. */
async function runStatus(config: string): Promise<void> {
  const child = spawn(process.execPath, [builtProgram, "status", "--config", config], { stdio: "ignore" });
  await once(child, "exit");
}
