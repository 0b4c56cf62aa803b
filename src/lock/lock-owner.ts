import { createHash } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import type { LockOwner } from "./lock-record.ts";

/**
 * Describes this process as an owner of locks. What the system does not tell is left empty: it is only
 * needed to recognise a dead owner, and an unknown one counts as alive. A machine without an id, as containers
 * often are, is known by its boot: until the next one that says as much.
 */
export async function describeOwner(
  identity: { inst: string; name: string },
  machineIdFile = "/etc/machine-id",
): Promise<LockOwner> {
  const [machineId, boot, processStat] = await Promise.all(
    [machineIdFile, "/proc/sys/kernel/random/boot_id", "/proc/self/stat"].map((file) =>
      readFile(file, "utf8").then(
        (text) => text.trim(),
        () => "",
      ),
    ),
  );
  const machine = machineId ? machineId : boot;
  const pidns = await readlink("/proc/self/ns/pid").catch(() => undefined);
  return {
    ...identity,
    ...(pidns === undefined ? {} : { pidns }),
    host: hostname(),
    machine: machine ? createHash("sha256").update(machine).digest("hex").slice(0, 16) : "",
    boot: boot ?? "",
    pid: process.pid,
    start: startTime(processStat ?? ""),
  };
}

/** Field 22 of proc(5)'s stat; the second field, the name in parentheses, may itself contain blanks. */
export function startTime(processStat: string): number {
  const fields = processStat.slice(processStat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[19] ?? 0);
}
