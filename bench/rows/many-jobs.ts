import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { builtProgram } from "../../test/support/director-process.ts";
import { fillHistory } from "../../test/support/many-runs.ts";
import { freePort } from "../../test/support/sshd.ts";
import { startBareServer } from "../bare-server.ts";
import { scheduledJobs, startBenchDirector, timeAnswer } from "../director.ts";
import { partsOf } from "../parts.ts";
import type { Figure, Row } from "../row.ts";
import { measurePairs, type Pair } from "../series.ts";

const jobs = 500;
const runs = 100_000;
const rounds = { warmUps: 2, counted: 11 };

/** How long people and Prometheus wait for a director with many jobs and a long history. */
export const manyJobs: Row = {
  name: "many-jobs",
  title: "Asking a director with 500 jobs and 100,000 runs",
  explains:
    "The page: a row of HTML for each job. The command line: the start of Node, which is more than half of it, and one question on the control socket. The scrape: some sixty lines of text for each job. The history is not read for any of them: what they show is kept in memory.",
  run: async (directory) => {
    const place = join(directory, "director");
    await mkdir(join(place, "state"), { recursive: true });
    await fillHistory(join(place, "state", "history-bench.db"), { jobs, runs });
    const port = await freePort();
    const more = { web: { port }, history: { keep_runs: runs } };
    const director = await startBenchDirector(place, scheduledJobs(directory, jobs), process.env, more);
    try {
      const status = [builtProgram, "status", "--config", join(place, "bench.yaml")];
      const pair = await measurePairs(rounds, { ours: () => timeNode(status), plain: () => timeNode(["-e", "0"]) });
      return [
        await answerFigure("page", { url: `http://127.0.0.1:${port}/`, bar: 200 }),
        figure("status on the command line", { pair, plain: "node -e 0", bar: 200 }),
        await answerFigure("scrape", { url: director.metricsUrl, bar: 60 }),
      ];
    } finally {
      await director.stop();
    }
  },
};

/** Beside the least that could answer with as many bytes. */
async function answerFigure(what: string, { url, bar }: { url: string; bar: number }): Promise<Figure> {
  const { bytes } = await timeAnswer(url);
  const bare = await startBareServer(bytes);
  try {
    const pair = await measurePairs(rounds, {
      ours: async () => (await timeAnswer(url)).ms,
      plain: async () => (await timeAnswer(bare.url)).ms,
    });
    return figure(what, {
      pair,
      plain: `node, a bare HTTP server, as many bytes (${Math.round(bytes / 1000)} kB)`,
      bar,
    });
  } finally {
    await bare.stop();
  }
}

function figure(what: string, { pair, plain, bar }: { pair: Pair; plain: string; bar: number }): Figure {
  const [, peer] = partsOf(pair, { ours: what, plain });
  return {
    ...{ name: `${what}, ${jobs} jobs, ${runs.toLocaleString("en")} runs`, unit: "ms", measured: pair.ours, bar },
    ...{ parts: [peer], note: "in turns" },
  };
}

/** From the start of the process to its end. */
async function timeNode(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const [code] = (await once(spawn(process.execPath, args, { stdio: "ignore" }), "exit")) as [number | null];
  if (code === null) throw new Error("a process of the bench was killed");
  return performance.now() - startedAt;
}
