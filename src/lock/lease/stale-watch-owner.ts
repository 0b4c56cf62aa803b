import { readdir, readFile } from "node:fs/promises";
import { systemErrorCode } from "../../base/errors.ts";
import type { LockOwner, LockRecord } from "../lock-record.ts";
import { startTime } from "../lock-owner.ts";

/** Tells whether owners of locks on this machine are alive. */
export interface OwnerProbe {
  /** True only if it is certain that the owner, and every child it started for that run, is gone. */
  isDead(record: LockRecord): Promise<boolean>;
}

/**
 * Who can see that the owner is dead need not wait for its lease. Every doubt counts
 * as alive. Cloned machines share a machine id, hence the host name; processes of another container are
 * not visible here, hence the pid namespace. Nor are those of other users where /proc is mounted with hidepid: who
 * cannot see the first process cannot tell a hidden one from one that is gone.
 */
export function createOwnerProbe(self: LockOwner, proc = "/proc"): OwnerProbe {
  const isHere = ({ machine, host, boot }: LockOwner) =>
    machine !== "" && machine === self.machine && host === self.host && boot !== "" && self.boot !== "";
  const hasEnded = async ({ pid, start, pidns }: LockOwner) => {
    if (start === 0 || pidns === undefined || pidns !== self.pidns) return false;
    try {
      return startTime(await readFile(`${proc}/${pid}/stat`, "utf8")) !== start;
    } catch (error) {
      return isGone(error);
    }
  };
  const seesEverybody = () =>
    readFile(`${proc}/1/stat`).then(
      () => true,
      () => false,
    );
  return {
    isDead: async ({ owner, run, hold }) => {
      if (!isHere(owner)) return false;
      if (owner.boot !== self.boot) return true;
      if (!(await hasEnded(owner)) || !(await seesEverybody())) return false;
      const children = await findChildren(run, owner.start, proc);
      return children.found === 0 && (hold || children.unreadable === 0);
    },
  };
}

/**
 * Every child carries the run in its environment (see process/child-environment.ts). What may not be looked
 * into may be one, unless it is older than the owner.
 */
async function findChildren(run: string, since: number, proc: string): Promise<{ found: number; unreadable: number }> {
  const count = { found: 0, unreadable: 0 };
  const pids = (await readdir(proc).catch(() => undefined))?.filter((name) => /^\d+$/.test(name));
  if (pids === undefined) return { found: 0, unreadable: 1 };
  for (const pid of pids) {
    try {
      const environment = await readFile(`${proc}/${pid}/environ`, "utf8");
      if (environment.split("\0").includes(`RSYNCDIRECTOR_RUN=${run}`)) count.found += 1;
    } catch (error) {
      if (isGone(error)) continue;
      const stat = await readFile(`${proc}/${pid}/stat`, "utf8").catch(() => undefined);
      if (stat === undefined || startTime(stat) >= since) count.unreadable += 1;
    }
  }
  return count;
}

function isGone(error: unknown): boolean {
  return ["ENOENT", "ESRCH"].includes(systemErrorCode(error) ?? "");
}
