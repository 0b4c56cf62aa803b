import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { execa } from "execa";

/** The kernel's letter for a process's state (`S`, `T`, `Z` …), or undefined when there is no such process. */
export function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2)[0];
  } catch {
    return undefined;
  }
}

/** Whether a process is there and more than a zombie. */
export function isAlive(pid: number): boolean {
  return ![undefined, "Z", "X"].includes(processState(pid));
}

/** Less than a test may take, so that it is this which fails and says what did not happen. */
const patienceMs = 45_000;

/** Waits for something the kernel tells nobody about. */
export async function waitUntil(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    // A process that stood still looks once more, whatever the time.
    const isLast = performance.now() > end;
    if (await isTrue()) return;
    if (isLast) throw new Error(`never happened: ${what}`);
    await wait(20);
  }
}

/** Ids of a process group's members that are no zombies; who waits for zombies is not our affair. */
export async function livingGroup(groupId: number): Promise<number[]> {
  const { stdout } = await execa("ps", ["-eo", "pgid=,pid=,stat="]);
  const rows = stdout.split("\n").map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([group, , state]) => Number(group) === groupId && !state?.startsWith("Z"))
    .map(([, pid]) => Number(pid));
}

/** Processes with that text in their command line, with its words; used with a path only this test has. */
export function processesMentioning(text: string): { pid: number; argv: string[] }[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((entry) => ({ pid: Number(entry), argv: readCommandLine(entry) }))
    .filter(({ pid, argv }) => argv.some((word) => word.includes(text)) && isAlive(pid));
}

function readCommandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** The parent of a process, and its short name. */
export function parentOf(pid: number): { pid: number; name: string } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const parent = Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
  if (!(parent > 1)) throw new Error(`process ${pid} has no parent of its own`);
  return { pid: parent, name: readFileSync(`/proc/${parent}/comm`, "utf8").trim() };
}
