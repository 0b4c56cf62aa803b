// Runs one configuration: spin writes a checker in C, gcc builds it, the checker searches.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readHistory, readResult } from "./spin-output.mjs";

const execute = promisify(execFile);
const models = join(import.meta.dirname, "..", "..", "test", "model");

/**
 * Searches one configuration of configurations.mjs; resolves to the figures of `readResult`, its `seconds`, the
 * `violated` property (or null) and the `history` that leads there, one line per step.
 * `memory` in MB and `timeout` in ms bound the search; one that they cut short is not `complete`.
 */
export async function search(configuration, { memory = 6000, timeout = 300_000 } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "rsyncdirector-model-"));
  try {
    return await searchIn(directory, configuration, { memory, timeout });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function searchIn(cwd, configuration, { memory, timeout }) {
  const model = join(models, `${configuration.model}.pml`);
  const switches = configuration.switches.map((name) => `-D${name}`);
  await execute("spin", ["-a", ...switches, model], { cwd });
  await execute("gcc", ["-w", "-O1", `-DMEMLIM=${memory}`, ...checkerOptions(configuration), "-o", "pan", "pan.c"], {
    cwd,
  });
  const startedAt = performance.now();
  const output = await runChecker(cwd, configuration, timeout);
  const seconds = (performance.now() - startedAt) / 1000;
  const result = { ...readResult(output), seconds, violated: null, history: [] };
  if (!(result.errors > 0)) return result;
  const trail = (await readdir(cwd)).find((name) => name.endsWith(".trail"));
  if (trail === undefined) throw new Error(`spin reports an error and wrote no trail:\n${output}`);
  // Replaying ends with the failed assertion, which spin reports by its exit status.
  const replay = await execute("spin", ["-t", "-T", "-k", trail, ...switches, model], { cwd }).catch((error) => error);
  return { ...result, ...readHistory(replay.stdout, output) };
}

function checkerOptions({ progress, breaks }) {
  if (progress) return ["-DCOLLAPSE", "-DNFAIR=3"];
  // Breadth first finds a shortest history; depth first needs less memory to find that there is none.
  return breaks === null ? ["-DSAFETY", "-DCOLLAPSE"] : ["-DSAFETY", "-DBFS"];
}

/** Depth first finds long detours; bounding the depth step by step keeps the history of a known mistake short. */
async function runChecker(cwd, { progress, breaks, mayStop }, timeout) {
  const args = [...(progress ? ["-a", "-f"] : []), ...(mayStop ? ["-E"] : [])];
  const depths = progress && breaks !== null ? [200, 400, 800, 1600, 2_000_000] : [2_000_000];
  let output = "";
  for (const depth of depths) {
    output = await runOnce(cwd, [`-m${depth}`, ...args], timeout);
    if (/errors: [1-9]/.test(output)) return output;
  }
  return output;
}

async function runOnce(cwd, args, timeout) {
  try {
    const { stdout } = await execute(join(cwd, "pan"), args, { cwd, timeout, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    if (error.killed) return `${error.stdout}\nWarning: Search not completed\nstopped after ${timeout / 1000} s\n`;
    if (typeof error.stdout === "string" && /errors: \d/.test(error.stdout)) return error.stdout;
    throw error;
  }
}
