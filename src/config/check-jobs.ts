import { checkActions } from "./check-actions.ts";
import { checkEndings } from "./check-endings.ts";
import { checkEndpoints } from "./check-endpoints.ts";
import { checkGuard } from "./check-guard.ts";
import { checkHooks } from "./check-hooks.ts";
import { checkLeases } from "./check-lease.ts";
import { checkLockNames, checkLocks } from "./check-locks.ts";
import { checkNestedDests } from "./check-nested-dests.ts";
import { checkNotify } from "./check-notify.ts";
import { checkSchedules } from "./check-schedules.ts";
import { checkTracking } from "./check-tracking.ts";
import { checkWatch } from "./check-watch.ts";
import { checkTargets } from "./check-targets.ts";
import { checkWeb } from "./check-web.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/**
 * The rules that concern several keys at once. `root` is what the schema has looked at, problems or
 * not: each rule leaves alone what is already known to be wrong, so that one look shows every mistake.
 * `home` is what `~` stands for.
 */
export function checkRules(root: Tree, log: ProblemLog, { home }: { home: string }): void {
  checkEndpoints(root, log);
  checkSchedules(root, log);
  const jobs = effectiveJobs(root, log);
  const ids = new Map<string, KeyPath>();
  for (const { job, own, path } of jobs) {
    const first = ids.get(job.id);
    if (first !== undefined) {
      log.error(
        [...path, "id"],
        `${JSON.stringify(job.id)} is the id of the job at ${log.placeOf(first)} too: give each job its own`,
      );
    } else if (typeof job.id === "string") ids.set(job.id, path);
    checkJob(job, path, log);
    if (job.type === "local") checkLocalJob(own, path, log);
    checkLocks(job, path, log);
    checkActions(job, path, log);
    checkEndings(job, path, log);
    checkGuard(job, own, path, log);
    checkHooks(job, path, log);
    checkTracking(job, path, { home, log });
    checkWatch(job, path, { root, home, log });
    checkTargets(job, own, path, log);
  }
  checkNotify(root, [...ids.keys()], log);
  checkLockNames(jobs, log);
  checkNestedDests(root, jobs, log);
  checkLeases(root, jobs, log);
  checkWeb(root, log);
}

interface EffectiveJob {
  job: RawJob;
  /** What the job itself says. */
  own: Tree;
  path: KeyPath;
}

/** Jobs as they are after `defaults`: what a job does not say, `defaults` says. */
function effectiveJobs(root: Tree, log: ProblemLog): EffectiveJob[] {
  const given = Object.entries(isRecord(root["defaults"]) ? root["defaults"] : {});
  const defaults = Object.fromEntries(given.filter(([key]) => log.isSound(["defaults", key])));
  return recordsOf(root["jobs"]).map(([index, own]) => ({
    // Wrong parts are skipped by `isSound` before anybody relies on their type.
    job: { ...defaults, ...own } as unknown as RawJob,
    own,
    path: ["jobs", index],
  }));
}

function checkJob(job: RawJob, path: KeyPath, log: ProblemLog): void {
  if (job.type === "remote" && job.host === undefined && job.targets === undefined) {
    log.error([...path, "host"], "is missing: a job of type remote needs the host to copy to or from");
  }
  if (job.actions === undefined && job.syncs === undefined) {
    log.error(path, "does nothing: it has neither actions nor syncs");
  }
  if (job.actions !== undefined && job.syncs !== undefined) {
    log.error([...path, "syncs"], "is the older layout of actions, which is given too: move the syncs into actions", {
      at: "key",
    });
  }
  checkExitCodes(job, path, log);
}

function checkLocalJob(own: Tree, path: KeyPath, log: ProblemLog): void {
  for (const key of ["host", "direction"] as const) {
    if (own[key] === undefined || !log.isSound([...path, key])) continue;
    log.warning(
      [...path, key],
      "is not used: the job is of type local. Write type: remote if the syncs go to another host",
      { at: "key" },
    );
  }
}

function checkExitCodes(job: RawJob, path: KeyPath, log: ProblemLog): void {
  if (!Array.isArray(job.exit_codes)) return;
  const seen = new Set<number>();
  for (const [index, rule] of job.exit_codes.entries()) {
    if (!log.isSound([...path, "exit_codes", index])) continue;
    const { code } = rule;
    if (seen.has(code)) log.error([...path, "exit_codes", index, "code"], `${code} is listed twice`);
    seen.add(code);
  }
}
