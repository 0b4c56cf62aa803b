import { startLockingProcess } from "./locking-process.ts";

/** Locks a file with flock(2) in a process of its own, as a writer does, until it is let go. */
export async function lockFile(path: string, how: "-x" | "-s" = "-x"): Promise<{ letGo(): Promise<void> }> {
  const script = 'exec 9>>"$1" && flock "$2" 9 && echo locked && exec sleep 600';
  const { letGo } = await startLockingProcess(script, path, how);
  return { letGo };
}
