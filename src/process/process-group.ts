import { readdirSync, readFileSync } from "node:fs";
import { systemErrorCode } from "../base/errors.ts";

/** One process, as /proc/PID/stat describes it. */
export interface ProcessEntry {
  pid: number;
  groupId: number;
  /** Clock ticks from boot to its start: with the process id it names a process for good. */
  start: number;
  /** The kernel's short name of the program, at most 15 bytes. */
  name: string;
  isZombie: boolean;
}

/** Sends a signal to one process. `false`: there is no such process any more. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return kill(requireChildId(pid), signal);
}

/** Sends a signal to every process of a group. `false`: the group is empty. */
export function signalGroup(groupId: number, signal: NodeJS.Signals): boolean {
  return kill(-requireChildId(groupId), signal);
}

/**
 * The processes of a group that can still do something; zombies cannot. Costs one system call when
 * the group is gone, which is the usual answer, and a walk over /proc otherwise. A group of which nobody can be seen
 * (other users' processes where /proc is mounted with hidepid) is alive as long as the kernel knows it.
 */
export function livingMembers(groupId: number, proc = "/proc"): readonly number[] {
  if (!kill(-requireChildId(groupId), 0)) return [];
  const members = membersOf(groupId, proc);
  if (members.length === 0) return kill(-groupId, 0) ? [groupId] : [];
  return members.filter((member) => !member.isZombie).map((member) => member.pid);
}

/**
 * Remembers processes by id and start time, since ids are used again. The returned function says which
 * of them can still do something.
 */
export function trackProcesses(pids: readonly number[], proc = "/proc"): () => readonly number[] {
  const tracked = pids.map((pid) => ({ pid, start: startTimeOf(pid, proc) }));
  return () => tracked.filter(({ pid, start }) => mayBeSame(start, startTimeOf(pid, proc))).map(({ pid }) => pid);
}

/**
 * Since when a process is there: field 22 of /proc/PID/stat, clock ticks since boot. undefined: it can do nothing any
 * more, or never was. `hidden`: it is there, and that cannot be read: another user's where /proc is mounted with hidepid.
 */
export type StartTime = number | "hidden" | undefined;

export function startTimeOf(pid: number, proc = "/proc"): StartTime {
  const entry = readProcess(pid, proc);
  if (entry === undefined) return isProcessId(pid) && kill(pid, 0) ? "hidden" : undefined;
  return entry.isZombie ? undefined : entry.start;
}

/** Of what a lock file says nobody knows whether it is one. */
function isProcessId(pid: number): boolean {
  return Number.isInteger(pid) && pid > 0 && pid < 2 ** 31;
}

/** Whether a number may still be that of the process that had it before. What cannot be seen may. */
export function mayBeSame(before: StartTime, now: StartTime): boolean {
  if (before === undefined || now === undefined) return false;
  return before === "hidden" || now === "hidden" || before === now;
}

/**
 * Bytes that each living process of a group has read and written so far, by process id. Programs
 * called `ssh` are left out: their keep-alive packets flow on when the transfer has long stopped.
 * Returns undefined when the kernel shows none of them (another user's processes).
 */
export function bytesMovedBy(groupId: number): ReadonlyMap<number, number> | undefined {
  const bytes = new Map<number, number>();
  let hidden = 0;
  for (const { pid, name } of membersOf(groupId)) {
    if (name === "ssh") continue;
    const moved = readBytes(pid);
    if (moved === undefined) hidden += 1;
    else bytes.set(pid, moved);
  }
  return bytes.size === 0 && hidden > 0 ? undefined : bytes;
}

function readBytes(pid: number): number | undefined {
  const text = readProc(`/proc/${pid}/io`);
  const read = text?.match(/^rchar: (\d+)$/m)?.[1];
  const written = text?.match(/^wchar: (\d+)$/m)?.[1];
  return read === undefined || written === undefined ? undefined : Number(read) + Number(written);
}

function membersOf(groupId: number, proc = "/proc"): ProcessEntry[] {
  return listProcesses(proc).filter((entry) => entry.groupId === groupId);
}

/** Every process that can be seen, zombies included. */
export function listProcesses(proc = "/proc"): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const entry of readdirSync(proc)) {
    const first = entry.charCodeAt(0);
    if (first < 48 || first > 57) continue;
    const process = readProcess(Number(entry), proc);
    if (process !== undefined) entries.push(process);
  }
  return entries;
}

/** Undefined: there is no such process, or none that can be seen. */
export function readProcess(pid: number, proc = "/proc"): ProcessEntry | undefined {
  const stat = readProc(`${proc}/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may itself contain any character, also ")".
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ", 20);
  return {
    pid,
    groupId: Number(fields[2]),
    start: Number(fields[19]),
    name: stat.slice(stat.indexOf("(") + 1, nameEnd),
    isZombie: fields[0] === "Z" || fields[0] === "X",
  };
}

/** The environment a process was started with, as `NAME=value` texts; undefined: gone, or another user's. */
export function readEnvironment(pid: number): readonly string[] | undefined {
  return readProc(`/proc/${pid}/environ`)?.split("\0");
}

/** A process may end between the listing and the reading: then there is nothing to say about it. */
export function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function kill(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ESRCH") return false;
    // Not ours to signal, but it is there.
    if (systemErrorCode(error) === "EPERM") return true;
    throw error;
  }
}

/** kill(-1) and kill(0) reach half the machine: only an id that a spawn returned may get here. */
function requireChildId(pid: number): number {
  if (!Number.isInteger(pid) || pid <= 1) throw new RangeError(`not the id of a child process: ${pid}`);
  return pid;
}
