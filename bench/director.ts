import { mkdir, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { stringify } from "yaml";
import { type DirectorProcess, type LogLine, startDirectorProcess } from "../test/support/director-process.ts";
import { freePort } from "../test/support/sshd.ts";

export interface BenchDirector extends DirectorProcess {
  readonly metricsUrl: string;
  /** Asks for a run and resolves to the milliseconds until it has ended. */
  runOnce(): Promise<number>;
  stop(): Promise<void>;
}

/** Writes a configuration with these jobs below `directory`, and `more` keys of its top; returns its path and where its metrics will be. */
export async function writeBenchConfig(
  directory: string,
  jobs: readonly object[],
  more: object = {},
): Promise<{ path: string; metricsUrl: string }> {
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const path = join(directory, "bench.yaml");
  const config = {
    rsync_id: "bench",
    cron_schedule: "0 0 1 1 *",
    pid_file_dir: join(directory, "run"),
    state_dir: join(directory, "state"),
    metrics: { addr: "127.0.0.1", port },
    logging: [{ type: "stdout", level: "info", format: "json" }],
    ...more,
    jobs,
  };
  await writeFile(path, stringify(config));
  return { path, metricsUrl: `http://127.0.0.1:${port}/metrics` };
}

/** Starts a director and resolves when it answers. */
export async function startBenchDirector(
  directory: string,
  jobs: readonly object[],
  env: NodeJS.ProcessEnv = process.env,
  more: object = {},
): Promise<BenchDirector> {
  const { path, metricsUrl } = await writeBenchConfig(directory, jobs, more);
  const director = startDirectorProcess(["start", "--config", path], { env });
  const ended = director.exited.then((status) => {
    throw new Error(`the director ended with ${status}:\n${JSON.stringify(director.lines)}\n${director.errors()}`);
  });
  await Promise.race([untilAnswered(metricsUrl), ended]);
  ended.catch(() => undefined);
  return {
    ...director,
    metricsUrl,
    runOnce: async () => {
      const since = director.lines.length;
      const startedAt = performance.now();
      director.signal("SIGHUP");
      const line = await director.waitForLine(isRunFinished, { since });
      if (line.outcome !== "ok") throw new Error(`a run of the bench ended ${JSON.stringify(line)}`);
      return performance.now() - startedAt;
    },
    stop: async () => {
      director.signal("SIGTERM");
      await director.exited;
    },
  };
}

function isRunFinished(line: LogLine): boolean {
  return line.msg === "run finished";
}

/** Asks again and again, without a pause worth mentioning, until somebody answers with 200. */
export async function untilAnswered(url: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    if (await answers(url)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing answers at ${url}`);
}

/** By plain `node:http`: the one that asks shares the machine with the one that is measured. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode === 200));
    });
    request.once("error", () => resolve(false));
  });
}
