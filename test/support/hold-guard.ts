import { readFile, stat } from "node:fs/promises";
import { startLockingProcess } from "./locking-process.ts";
import { waitUntil } from "./process-state.ts";

/** Locks the guard of a lock file in a process of its own, which is then stopped. */
export async function holdGuard(path: string): Promise<{
  /** Resolves when another process waits for the guard; to have it open is to be on the way to that. */
  waitedFor(): Promise<void>;
  letGo(): Promise<void>;
}> {
  const script = 'exec 9>>"$1.guard" && flock 9 && echo locked && kill -STOP $$';
  const { letGo } = await startLockingProcess(script, path);
  return {
    letGo,
    waitedFor: async () => {
      const { ino } = await stat(`${path}.guard`);
      const waits = new RegExp(`-> FLOCK .*:${ino} `);
      await waitUntil("somebody waits for the guard", async () => waits.test(await readFile("/proc/locks", "utf8")));
    },
  };
}
