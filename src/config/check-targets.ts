import { checkOperand } from "./check-actions.ts";
import { isRoot } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";
import { deletesAtDest } from "./sync-report.ts";
import { recordsOf, type Tree } from "./tree.ts";

/** Rules about the list of hosts that get the same. `own` is what the job itself says, without `defaults`. */
export function checkTargets(job: RawJob, own: Tree, path: KeyPath, log: ProblemLog): void {
  if (!Array.isArray(job.targets)) return;
  const here = [...path, "targets"];
  if (job.type === "local") {
    log.error(here, "are for jobs of type remote: the syncs of a local job stay on this host", { at: "key" });
  } else if (job.direction === "pull") {
    log.error(here, "can only be pushed to: write a job of its own for each host to pull from", { at: "key" });
  }
  if (own["host"] !== undefined) {
    log.error([...path, "host"], "is given beside targets, which name the hosts: remove it, or move it into the list", {
      at: "key",
    });
  }
  checkNames(job, here, log);
  checkDestinations(job, path, log);
}

function checkNames({ targets = [] }: RawJob, here: KeyPath, log: ProblemLog): void {
  const names = new Map<string, number>();
  for (const [index, { id, host }] of targets.entries()) {
    if (!log.isSound([...here, index])) continue;
    const name = id ?? host;
    const first = names.get(name);
    if (first === undefined) names.set(name, index);
    else {
      const what = id === undefined ? "host" : "id";
      log.error(
        [...here, index, what],
        `${JSON.stringify(name)} is the name of targets[${first}] too: give each target an id of its own`,
      );
    }
  }
}

function checkDestinations(job: RawJob, path: KeyPath, log: ProblemLog): void {
  const syncs = recordsOf(job.actions ?? job.syncs).filter(
    ([, { action }]) => action === undefined || action === "sync",
  );
  const [only] = syncs;
  for (const [index, { dest }] of (job.targets ?? []).entries()) {
    const where = [...path, "targets", index, "dest"];
    if (dest === undefined || !log.isSound(where)) continue;
    if (syncs.length !== 1 || only === undefined) {
      log.error(where, `can only replace the destination of one sync, and the job has ${syncs.length}: split the job`);
      continue;
    }
    checkOperand(dest, { where, remote: true, log });
    if (!log.isSound(where) || !log.isSound([...path, "actions"]) || !log.isSound([...path, "watch"])) continue;
    if (!deletesAtDest(job, only[1] as unknown as RawSyncAction)) continue;
    if (isRoot(dest)) log.error(where, "is the root directory, and the sync deletes: it would empty the host");
    else if (!dest.startsWith("/")) log.error(where, "is a relative path, and the sync deletes: write the full path");
  }
}
