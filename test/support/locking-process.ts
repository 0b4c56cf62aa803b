import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** A process of its own that has something locked. */
export interface LockingProcess {
  readonly pid: number | undefined;
  /** Ends it, and the lock with it; a test that is over does so as well. */
  readonly letGo: () => Promise<void>;
}

/** Runs a shell script that writes a line when it has its lock; resolves then. `args` are its `$1`, `$2` … */
export async function startLockingProcess(script: string, ...args: readonly string[]): Promise<LockingProcess> {
  const child = spawn("/bin/sh", ["-c", script, "lock", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const letGo = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  onTestFinished(letGo);
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process that should keep a lock ended with ${code}`);
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
  return { pid: child.pid, letGo };
}
