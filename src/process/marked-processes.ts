import { readdirSync } from "node:fs";
import type { Environment } from "./child-environment.ts";
import { readProc } from "./process-group.ts";

/**
 * The living processes that began at `since` (see `startOf`) or later and whose environment holds exactly
 * these marks; never this process. A process whose environment cannot be read is nobody's. Only young
 * processes are asked for theirs: reading that of one which hangs in the kernel can hang, too.
 */
export function findMarked(marks: Environment, since: number): readonly number[] {
  // Environments are read byte by byte, so that any of them can be compared.
  const wanted = Object.entries(marks).map(([name, value]) => Buffer.from(`${name}=${value}`).toString("latin1"));
  if (wanted.length === 0) return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 1 && pid !== process.pid)
    .filter((pid) => startOf(pid, Number.NaN) >= since && carries(pid, wanted));
}

/** When a process began, in clock ticks since boot; `otherwise` where there is nobody. */
export function startOf(pid: number, otherwise: number = 0): number {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === undefined ? otherwise : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** A zombie has no environment any more. */
function carries(pid: number, wanted: readonly string[]): boolean {
  const variables = readProc(`/proc/${pid}/environ`)?.split("\0") ?? [];
  return wanted.every((variable) => variables.includes(variable));
}
