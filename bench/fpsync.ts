import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type LockHost, rsyncShell, type Way } from "./lock-host.ts";

export interface FpsyncTask {
  readonly source: string;
  readonly dest: string;
  readonly host: LockHost;
  readonly way: Way;
  /** rsyncs at a time. */
  readonly jobs: number;
  /** For its lists and logs. */
  readonly directory: string;
}

/**
 * Lets fpsync (of Debian's package fpart) bring a tree to a host and resolves to the milliseconds that it took. It cuts
 * the tree into lists of files, and runs an rsync with a login of its own for each list.
 */
export async function timeFpsync({ source, dest, host, way, jobs, directory }: FpsyncTask): Promise<number> {
  await mkdir(directory, { recursive: true });
  const args = ["-n", String(jobs), "-t", directory, `${source}/`, `${host.sshd.host}:${dest}/`];
  const startedAt = performance.now();
  const child = spawn("fpsync", args, {
    env: { ...process.env, RSYNC_RSH: rsyncShell(host, way) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  // Each of its jobs complains that there is no terminal.
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`fpsync ended with ${code}:\n${errors}`);
  return performance.now() - startedAt;
}
