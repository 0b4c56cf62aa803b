import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { builtProgram } from "../../test/support/director-process.ts";
import { freePort } from "../../test/support/sshd.ts";
import { bareServerArgs } from "../bare-server.ts";
import { untilAnswered, writeBenchConfig } from "../director.ts";
import { partsOf } from "../parts.ts";
import type { Row } from "../row.ts";
import { measurePairs } from "../series.ts";

/** From the start of the process to the first answered scrape, beside a Node that does nothing else. */
export const startUp: Row = {
  name: "start-up",
  title: "Start",
  explains:
    "The start of Node itself, two fifths of it, and then reading and compiling: nine files of our own and some hundred and forty of packages, more than half of them yaml's. What a start does not need (ssh, the API) is loaded when it is first used. The limit: with the packages in the bundle, too, a sixth of the processor time would go (decision 29), which is above the bar still, on a machine where Node alone needs two fifths of the bar.",
  run: async (directory) => {
    const actions = [
      { action: "sync", id: "sync", source: `${directory}/source/`, dest: `${directory}/dest`, opts: ["-a"] },
    ];
    const config = await writeBenchConfig(join(directory, "director"), [{ id: "job", type: "local", actions }]);
    const port = await freePort();
    const pair = await measurePairs(
      { warmUps: 2, counted: 15 },
      {
        ours: () => timeStart([builtProgram, "start", "--config", config.path], config.metricsUrl),
        plain: () => timeStart(bareServerArgs(port), `http://127.0.0.1:${port}/`),
      },
    );
    const [, bare] = partsOf(pair, { ours: "director", plain: "node, a bare HTTP server" });
    return [
      {
        ...{ name: "start → first /metrics", unit: "ms", measured: pair.ours, bar: 250 },
        parts: [bare, { name: "ratio", unit: "", measured: pair.ratio }],
        note: "in turns",
      },
    ];
  },
};

async function timeStart(args: readonly string[], url: string): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...args], { stdio: "ignore" });
  try {
    await untilAnswered(url);
    return performance.now() - startedAt;
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
