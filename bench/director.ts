import { mkdir, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { stringify } from "yaml";
import { askControl } from "../src/cli/control/control-request.ts";
import { type DirectorProcess, type LogLine, startDirectorProcess } from "../test/support/director-process.ts";
import { freePort } from "../test/support/sshd.ts";

export interface BenchDirector extends DirectorProcess {
  readonly metricsUrl: string;
  /** From the start of its process to its first answer. */
  readonly startedInMs: number;
  /** Asks for a run of all jobs, or of this one, and resolves to the milliseconds until it has ended. */
  runOnce(job?: string): Promise<number>;
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

/** How long anything may take on a machine that does much else: then figures are worth nothing, but a row can be tried. */
const patienceMs = 600_000;

/** Starts a director and resolves when it answers. */
export async function startBenchDirector(
  directory: string,
  jobs: readonly object[],
  env: NodeJS.ProcessEnv = process.env,
  more: object = {},
): Promise<BenchDirector> {
  const { path, metricsUrl } = await writeBenchConfig(directory, jobs, more);
  const startedAt = performance.now();
  const director = startDirectorProcess(["start", "--config", path], { env });
  let ended: number | NodeJS.Signals | undefined;
  void director.exited.then((status) => (ended = status));
  const stop = async () => {
    director.signal("SIGTERM");
    await director.exited;
  };
  try {
    await untilAnswered(metricsUrl, () => {
      if (ended === undefined) return;
      throw new Error(`the director ended with ${ended}:\n${JSON.stringify(director.lines)}\n${director.errors()}`);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const startedInMs = performance.now() - startedAt;
  return {
    ...director,
    metricsUrl,
    startedInMs,
    stop,
    runOnce: async (job) => {
      const since = director.lines.length;
      const startedAt = performance.now();
      if (job === undefined) director.signal("SIGHUP");
      else await askForRun(director, job);
      const line = await director.waitForLine(isRunFinished, { since, timeoutMs: patienceMs });
      if (line.outcome !== "ok") throw new Error(`a run of the bench ended ${JSON.stringify(line)}`);
      return performance.now() - startedAt;
    },
  };
}

async function askForRun(director: DirectorProcess, job: string): Promise<void> {
  const opened = await director.waitForLine((line) => line.msg === "control socket opened");
  const body = { jobs: [job] };
  const options = { method: "POST", path: "/api/v1/runs", body, withinMs: patienceMs } as const;
  const asked = await askControl(String(opened["path"]), options);
  if (asked.kind !== "answered") throw new Error(`the director of the bench does not run ${job}: ${asked.kind}`);
}

function isRunFinished(line: LogLine): boolean {
  return line.msg === "run finished";
}

/**
 * Asks again and again, without a pause worth mentioning, until somebody answers with 200. `check` throws when that will
 * never be.
 */
export async function untilAnswered(url: string, check: () => void = () => undefined): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end;) {
    if (await answers(url)) return;
    check();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`nothing answers at ${url}`);
}

async function answers(url: string): Promise<boolean> {
  return timeAnswer(url).then(
    () => true,
    () => false,
  );
}

/** By plain `node:http`: the one that asks shares the machine with the one that is measured. */
export function timeAnswer(url: string): Promise<{ ms: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const request = get(url, { agent: false }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => (bytes += chunk.length));
      response.once("end", () => {
        if (response.statusCode === 200) resolve({ ms: performance.now() - startedAt, bytes });
        else reject(new Error(`${url} answers with ${response.statusCode}`));
      });
    });
    request.once("error", reject);
  });
}

/** Jobs that do nothing while they are measured, `job0` and so on, each with a schedule of its own. */
export function scheduledJobs(directory: string, count: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `job${index}`,
    type: "local",
    schedule: `${index % 60} ${index % 24} 1 1 *`,
    actions: [
      { action: "sync", id: "copy", source: `${directory}/source/`, dest: `${directory}/dest${index}`, opts: ["-a"] },
    ],
  }));
}
