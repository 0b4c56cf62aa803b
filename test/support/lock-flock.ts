import { readdirSync, readFileSync } from "node:fs";
import { startLockingProcess } from "./locking-process.ts";
import { waitUntil } from "./process-state.ts";

/** Locks a file with flock(2) in a process of its own, as a writer does, until it is let go. */
export async function lockFile(
  path: string,
  how: "-x" | "-s" = "-x",
): Promise<{
  letGo(): Promise<void>;
  /** Resolves when a shell that found it locked waits before it tries again. */
  wasTriedBy(hold: string): Promise<void>;
}> {
  const script = 'exec 9>>"$1" && flock "$2" 9 && echo locked && exec sleep 600';
  const { letGo } = await startLockingProcess(script, path, how);
  return {
    letGo,
    wasTriedBy: (hold) =>
      waitUntil("somebody waits for the file", () => sleepers().some((parent) => parent.includes(hold))),
  };
}

/** The command lines of the parents of all `sleep 1`. */
function sleepers(): string[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && read(`/proc/${entry}/cmdline`) === "sleep\u00001\u0000")
    .map((entry) => /^PPid:\s*(\d+)$/m.exec(read(`/proc/${entry}/status`))?.[1] ?? "")
    .map((parent) => read(`/proc/${parent}/cmdline`));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
