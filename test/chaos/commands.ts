import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Runs a program to its end; throws with what it wrote when it fails. Returns its standard output. */
export function command(argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [output, errors] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${argv.join(" ")} ended with ${code}: ${errors.trim()}`));
    });
  });
}

/** Milliseconds since boot, by the clock of every record of a history. */
export function bootTime(): number {
  return Math.round(Number.parseFloat(readFileSync("/proc/uptime", "utf8")) * 1000);
}

/** undefined: a program that could not be started. */
export function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    // 0 would be everything that belongs to this process.
    if (pid !== undefined && pid > 1) process.kill(pid, signal);
  } catch {
    // It has ended by itself in the meantime.
  }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
