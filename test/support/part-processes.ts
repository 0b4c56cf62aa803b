import { parentOf, processesMentioning } from "./process-state.ts";

/** How many parts of a sync run here: a local rsync is several processes, of which the first is counted. */
export function partsRunning(dest: string): number {
  const parts = processesMentioning(dest).filter(({ argv }) => argv.includes("--files-from=-"));
  const all = new Set(parts.map(({ pid }) => pid));
  return parts.filter(({ pid }) => !all.has(parentOf(pid).pid)).length;
}
