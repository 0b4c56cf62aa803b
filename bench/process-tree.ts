import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process and all that descend from it, as far as they are there. */
function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

export function childrenOf(pid: number): number[] {
  return tasksOf(pid).flatMap((task) => {
    const text = readIfThere(`/proc/${pid}/task/${task}/children`) ?? "";
    return text.split(" ").filter(Boolean).map(Number);
  });
}

/** Whether a process carries something just now; a connection that is kept for later does not. */
function isCarrying(pid: number): boolean {
  const name = readIfThere(`/proc/${pid}/comm`)?.trim() ?? "";
  if (name !== "ssh") return name === "rsync";
  return readIfThere(`/proc/${pid}/cmdline`)?.split("\0").includes("ControlMaster=yes") === false;
}

/**
 * Seconds of processor time of a tree: its members', and those of all whom they have waited for. The kernel counts in
 * hundredths.
 */
export function cpuSecondsOf(pid: number): number {
  const fieldsOf = (member: number) => readIfThere(`/proc/${member}/stat`)?.split(") ").at(-1)?.split(" ") ?? [];
  const ticks = treeOf(pid).flatMap((member) => fieldsOf(member).slice(11, 15).map(Number));
  return ticks.reduce((sum, count) => sum + count, 0) / 100;
}

/** Milliseconds of processor time of one process alone, in steps of ten. */
export function cpuMillisecondsOf(pid: number): number {
  const fields = readIfThere(`/proc/${pid}/stat`)?.split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** How often its threads have waited for something so far. */
export function wakeUpsOf(pid: number): number {
  return tasksOf(pid)
    .map((task) => readIfThere(`/proc/${pid}/task/${task}/status`) ?? "")
    .map((status) => Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0);
}

/** What its open files are called. */
export function openFilesOf(pid: number): string[] {
  return namesIn(`/proc/${pid}/fd`).flatMap((fd) => ifThere(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []);
}

/** Resident megabytes of one process now. */
export function memoryOf(pid: number): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(readIfThere(`/proc/${pid}/status`) ?? "")?.[1] ?? 0;
  return (Number(kibibytes) * 1024) / 1e6;
}

/** The same of a tree; what its members share counts for each. */
function memoryOfTree(pid: number): number {
  return treeOf(pid).reduce((sum, member) => sum + memoryOf(member), 0);
}

/** Looks at the memory of a tree every 50 ms; the function that comes back ends that and returns the most it saw. */
export function watchMemory(pid: number): () => number {
  let most = memoryOfTree(pid);
  const timer = setInterval(() => (most = Math.max(most, memoryOfTree(pid))), 50);
  return () => {
    clearInterval(timer);
    return most;
  };
}

/** Until no rsync has run for longer than any peer of the benchmark waits before the next. */
export async function untilQuiet(pid: number): Promise<void> {
  for (let quietSince = performance.now(); performance.now() - quietSince < 1500;) {
    if (treeOf(pid).some(isCarrying)) quietSince = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How many inotify watches a process has. */
export function watchCountOf(pid: number): number {
  return namesIn(`/proc/${pid}/fdinfo`)
    .map((fd) => readIfThere(`/proc/${pid}/fdinfo/${fd}`)?.match(/^inotify /gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}

function tasksOf(pid: number): string[] {
  return namesIn(`/proc/${pid}/task`);
}

function namesIn(directory: string): string[] {
  return ifThere(() => readdirSync(directory)) ?? [];
}

function readIfThere(file: string): string | undefined {
  return ifThere(() => readFileSync(file, "utf8"));
}

/** A process may be gone at any moment. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
