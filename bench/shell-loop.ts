import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs a shell script and resolves to the milliseconds that it took; `args` begin at `$0`. */
export async function timeShell(script: string, args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const [code] = (await once(spawn("sh", ["-c", script, ...args], { stdio: "ignore" }), "exit")) as [number | null];
  if (code !== 0) throw new Error("the shell loop failed");
  return performance.now() - startedAt;
}
