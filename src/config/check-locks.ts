import { bareAddress, lockPath } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawBlock, RawLockFile } from "./schema-endpoint.ts";
import type { RawJob } from "./schema-job.ts";

/** A lock path that the configuration names, and on which host (empty: this one). */
interface NamedLock {
  host: string;
  path: string;
  where: KeyPath;
}

/** The lock protocol keeps files of its own beside a lock file P: P.guard, P.hold, P.status, P.tmp.*, P.broken.* */
export const companion = /\.(?:guard|hold|status(?:\.tmp)?|tmp\.[^/]*|broken\.[^/]*)$/;

/** No lock file may be what the protocol uses as the companion of another. */
export function checkLockNames(jobs: readonly { job: RawJob; path: KeyPath }[], log: ProblemLog): void {
  const locks = jobs.flatMap(({ job, path }) => namedLocks(job, path, log));
  const known = new Map(locks.map((lock) => [keyOf(lock.host, lock.path), lock]));
  for (const lock of locks) {
    for (let path = lock.path; companion.test(path);) {
      path = path.replace(companion, "");
      const other = known.get(keyOf(lock.host, path));
      if (other === undefined) continue;
      log.error(lock.where, `is a file that belongs to the lock ${other.path}: choose another name`);
      break;
    }
  }
}

function keyOf(host: string, path: string): string {
  return `${host}\0${path}`;
}

function hostOf(lock: RawLockFile | RawBlock, job: RawJob): string {
  if (lock.type !== "remote") return "";
  // The lock is sound; the host of its job may be of any type.
  const host: unknown = lock.host ?? job.host ?? "";
  return typeof host === "string" ? bareAddress(host) : "?";
}

function namedLocks(job: RawJob, path: KeyPath, log: ProblemLog): NamedLock[] {
  return (["lock_files", "blocks_on"] as const).flatMap((key) => {
    const list: readonly (RawLockFile | RawBlock)[] = log.isSound([...path, key]) ? (job[key] ?? []) : [];
    return list.map((lock, index) => ({
      host: hostOf(lock, job),
      path: lockPath(lock.path),
      where: [...path, key, index, "path"],
    }));
  });
}

/** Rules about the locks of one job. */
export function checkLocks(job: RawJob, path: KeyPath, log: ProblemLog): void {
  for (const key of ["lock_files", "blocks_on"] as const) {
    const list: readonly (RawLockFile | RawBlock)[] = Array.isArray(job[key]) ? job[key] : [];
    const seen = new Map<string, number>();
    for (const [index, lock] of list.entries()) {
      const where = [...path, key, index];
      if (!log.isSound(where)) continue;
      if (lock.type === "remote" && lock.host === undefined) {
        const whose = job.type === "local" ? "a local job" : job.targets === undefined ? "" : "a job with targets";
        const what = `is missing: a remote lock of ${whose} must say on which host it lies`;
        if (whose !== "" || job.host === undefined) log.error([...where, "host"], what);
      }
      if (lock.type === "local" && lock.host !== undefined) {
        log.warning([...where, "host"], "is not used: the lock is of type local. Write type: remote if it lies there", {
          at: "key",
        });
      }
      const id = keyOf(hostOf(lock, job), lockPath(lock.path));
      const first = seen.get(id);
      if (first !== undefined) log.warning(where, `is the same as ${key}[${first}]`);
      seen.set(id, first ?? index);
    }
  }
}
