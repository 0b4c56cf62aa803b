import { readFileSync } from "node:fs";

/**
 * Which process works on a run: boot, pid and start time, so that a pid that was given to somebody
 * else, or that comes from before a reboot, is not taken for it. An unfinished run whose owner is gone
 * was interrupted.
 */
export function runOwnerOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in brackets, may itself hold blanks and brackets: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    // It has ended, and only its parent has not asked how yet; some containers never ask.
    if (state === "Z" || state === "X") return undefined;
    const started = fields[19];
    return `${boot}:${pid}:${started}`;
  } catch {
    return undefined;
  }
}

export function isOwnerAlive(owner: string): boolean {
  const pid = Number(owner.split(":")[1]);
  return Number.isInteger(pid) && runOwnerOf(pid) === owner;
}
