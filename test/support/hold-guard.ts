import { readdir, readlink } from "node:fs/promises";
import { startLockingProcess } from "./locking-process.ts";

/** Locks the guard of a lock file in a process of its own, which is then stopped. */
export async function holdGuard(path: string): Promise<{
  /** Resolves when another process has the guard open, waiting for it. */
  waitedFor(): Promise<void>;
  letGo(): Promise<void>;
}> {
  const script = 'exec 9>>"$1.guard" && flock 9 && echo locked && kill -STOP $$';
  const { pid, letGo } = await startLockingProcess(script, path);
  return {
    letGo,
    waitedFor: async () => {
      while (!(await othersHaveOpen(`${path}.guard`, pid))) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function othersHaveOpen(file: string, but: number | undefined): Promise<boolean> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== but);
  const targets = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/fd/9`).catch(() => "")));
  return targets.includes(file);
}
